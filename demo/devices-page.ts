import type { Router } from '@koa/router'
import type { Context } from 'koa'
import type { SessionInfo, SessionRegistry } from '../src/index.js'
import { deviceOf, type Device } from './device.js'
import { field, seeOther } from './guard.js'
import { render } from './views.js'
import { flash, visitorOf } from './visitor.js'
import { writeAgo, writeDay } from './words.js'

/** The user of this name sees and ends the sessions of everybody. A real application would ask its own list of roles. */
const admin = 'admin'

/** How many sessions the page shows to an administrator, the last used ones. */
const mostShown = 100

const idPattern = /^[0-9a-f]{64}$/

/** One session as the page shows it. */
interface Shown extends Device {
  id: string
  /** Absent: a visitor's. */
  owner: string | undefined
  isThis: boolean
  first: string
  last: string
  remembered: boolean
}

/** Where a user is logged in, and for an administrator where everybody is. */
export function devicePages(router: Router, sessions: SessionRegistry, listsOwners: boolean): void {
  router.get('/devices', (ctx) => devices(ctx, sessions, listsOwners))
  router.post('/devices/end', (ctx) => endOne(ctx, sessions))
  router.post('/devices/end-others', (ctx) => endOthers(ctx))
}

async function devices(ctx: Context, sessions: SessionRegistry, listsOwners: boolean): Promise<void> {
  const { owner, recordId } = visitorOf(ctx)
  if (owner === undefined) return ctx.redirect('/login')
  const own = await listOf(listsOwners ? sessions.ownedBy(owner) : thisOne(ctx))
  // This one comes first, whatever another device did in the last moment.
  own.sort((one, other) => Number(other.id === recordId) - Number(one.id === recordId))
  const all = owner === admin && listsOwners ? await listOf(sessions.all()) : undefined
  render(ctx, 'devices', {
    title: 'Your devices',
    listsOwners,
    own: own.map((info) => show(ctx, info)),
    all: all?.slice(0, mostShown).map((info) => show(ctx, info)),
    allCount: all?.length,
    mostShown
  })
}

async function endOne(ctx: Context, sessions: SessionRegistry): Promise<void> {
  const session = visitorOf(ctx)
  const { owner, recordId } = session
  if (owner === undefined) return seeOther(ctx, '/login')
  const id = field(ctx, 'id')
  if (!idPattern.test(id)) ctx.throw(400)
  if (id === recordId) {
    await session.destroy()
    return seeOther(ctx, '/?goodbye')
  }
  const info = await sessions.find(id)
  // Somebody else's session is answered like one that has ended, so that nobody learns which ids there are.
  const mayEnd = info && (info.owner === owner || owner === admin)
  const isEnded = mayEnd ? await sessions.end(id) : false
  if (isEnded) flash(ctx, `${show(ctx, info!).name} is logged out.`)
  else flash(ctx, 'That session had ended already.', 'note')
  seeOther(ctx, '/devices')
}

async function endOthers(ctx: Context): Promise<void> {
  const session = visitorOf(ctx)
  if (session.owner === undefined) return seeOther(ctx, '/login')
  const ended = await session.endOthers()
  flash(ctx, ended === 0 ? 'You were logged in nowhere else.' : `You are logged out everywhere else: ${ended} ${ended === 1 ? 'session' : 'sessions'} ended.`)
  seeOther(ctx, '/devices')
}

/** The last used first. */
async function listOf(infos: AsyncIterable<SessionInfo> | Iterable<SessionInfo>): Promise<SessionInfo[]> {
  const list: SessionInfo[] = []
  for await (const info of infos) list.push(info)
  return list.sort((one, other) => other.usedAt.getTime() - one.usedAt.getTime())
}

/** All that a store knows that cannot list the sessions of an owner. */
function thisOne(ctx: Context): SessionInfo[] {
  const { owner, recordId, createdAt, expiresAt, permanent, userAgent } = visitorOf(ctx)
  return [{ id: recordId!, owner, createdAt, usedAt: new Date(), expiresAt, permanent, data: { userAgent } }]
}

function show(ctx: Context, { id, owner, createdAt, usedAt, permanent, data }: SessionInfo): Shown {
  return {
    ...(owner === undefined ? { ...deviceOf(undefined), name: 'A visitor' } : deviceOf(data['userAgent'])),
    id,
    owner,
    isThis: id === visitorOf(ctx).recordId,
    first: writeDay(createdAt),
    last: writeAgo(Date.now() - usedAt.getTime()),
    remembered: permanent
  }
}
