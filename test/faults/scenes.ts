import path from 'node:path'
import type { ExecutionContext } from 'ava'
import { fileStore, session, SessionError, type FileStoreOptions, type SessionRegistry } from '../../src/index.js'
import { routes } from '../attacks/cases/routes.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { idOf } from '../support/events.js'
import { openStore, tempDirInMemory, type FileStore } from '../support/files.js'
import { createApp, routesOf, type Routes } from '../support/story.js'
import { under, type Call, type Plan } from './file-system.js'

/** What a client has when a request meets a fault, and what the request is to lead to. */
interface Scene {
  readonly before: readonly string[]
  readonly path: string
  /** What the session of the client's cookie holds before, and after a success. `undefined`: there is none. */
  readonly from: State | undefined
  readonly to: State | undefined
}

interface State {
  readonly owner?: string
  readonly data: object
}

export const scenes: { readonly [what: string]: Scene } = {
  'a new session': { before: [], path: '/set?key=a&value=1', from: undefined, to: { data: { a: '1' } } },
  'a save': { before: ['/set?key=a&value=0'], path: '/set?key=a&value=1', from: { data: { a: '0' } }, to: { data: { a: '1' } } },
  'a read': { before: ['/set?key=a&value=0'], path: '/who', from: { data: { a: '0' } }, to: { data: { a: '0' } } },
  'take()': { before: ['/set?key=a&value=0', '/set?key=b&value=0'], path: '/take?key=a', from: { data: { a: '0', b: '0' } }, to: { data: { b: '0' } } },
  'reload() and save()': { before: ['/set?key=a&value=0'], path: '/reload', from: { data: { a: '0' } }, to: { data: { a: '0' } } },
  'a first login': { before: [], path: '/login?user=momo', from: undefined, to: { owner: 'momo', data: {} } },
  'a login': { before: ['/set?key=a&value=0'], path: '/login?user=momo', from: { data: { a: '0' } }, to: { owner: 'momo', data: { a: '0' } } },
  'a login as another': { before: ['/login?user=lin', '/set?key=a&value=0'], path: '/login?user=momo', from: { owner: 'lin', data: { a: '0' } }, to: { owner: 'momo', data: {} } },
  'regenerate()': { before: ['/login?user=momo'], path: '/regenerate', from: { owner: 'momo', data: {} }, to: { owner: 'momo', data: {} } },
  'the last key that goes': { before: ['/set?key=a&value=0'], path: '/take?key=a', from: { data: { a: '0' } }, to: undefined },
  'a logout': { before: ['/login?user=momo', '/set?key=a&value=0'], path: '/logout', from: { owner: 'momo', data: { a: '0' } }, to: undefined }
}

/** How many runs go on at once. */
const atOnce = 20

/** An application on a file store, and what a test looks at. */
export interface Setting {
  readonly dir: string
  readonly origin: string
  /** Sees what is stored, without faults and without a cache of its own. */
  readonly witness: () => FileStore
  readonly plans: Map<string, Plan>
  readonly errors: readonly Error[]
  readonly sessions: SessionRegistry
}

export async function start(t: ExecutionContext, options: FileStoreOptions = {}, more: Routes = {}): Promise<Setting> {
  const dir = path.join(tempDirInMemory(t), 'sessions')
  const plans = new Map<string, Plan>()
  const app = createApp()
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  app.use((ctx, next) => {
    const plan = plans.get(ctx.get('x-plan'))
    return plan ? under(plan, next) : next()
  })
  const sessions = session({ store: fileStore({ dir, threshold: 0, ...options }), touchAfter: 0, storeTimeout: 1500 })
  app.use(sessions)
  app.use(routesOf({ ...routes, ...more, '/reload': async (ctx) => void ((await ctx.session.reload()) && (await ctx.session.save())) }))
  const origin = await startApp(t, app)
  const { locking } = options
  return { dir, origin, witness: () => openStore({ dir, threshold: 0, ...(locking && { locking }) }), plans, errors, sessions }
}

/** Plays a scene in which the n-th of the calls fails. Answers whether there was an n-th call, or what is wrong. */
async function play(setting: Setting, scene: Scene, isFailing: (call: Call) => boolean, n: number, plan: (call: Call, calls: number) => ReturnType<Plan>): Promise<boolean | string> {
  const { origin, plans, witness } = setting
  const client = new Client(origin)
  for (const each of scene.before) await client.get(each)
  const old = client.cookie('session')
  const key = `${n} ${Math.random()}`
  let calls = 0
  let isOver = false
  plans.set(key, (call) => (isOver || !isFailing(call) || ++calls < n ? undefined : plan(call, calls)))
  const { status, setCookie } = await client.get(scene.path, { headers: { 'x-plan': key } })
  isOver = true
  plans.delete(key)
  const wasHit = calls >= n

  const present = client.cookie('session')
  const [seen, seenOld] = await Promise.all([stateOf(witness(), present), stateOf(witness(), old)])
  if (status >= 300 && status !== 503) return `the response is ${status}`
  if (status === 503 && !wasHit) return 'it failed without a fault'
  if (status < 300) {
    if (!isSame(seen, scene.to)) return `it was acknowledged, and ${show(seen)} is stored`
    if (present !== old && seenOld) return `the old cookie opens ${show(seenOld)}`
  } else {
    if (present !== undefined && present !== old && !isSame(seen, scene.to)) return `a cookie was sent that opens ${show(seen)}`
    if (setCookie.length === 0 && present === old && ![scene.from, scene.to].some((state) => isSame(seenOld, state)) && !isReplaced(scene, seenOld)) return `it failed, and ${show(seenOld)} is stored`
  }
  // It recovers by itself.
  const healed = await client.get('/set?key=healed&value=1')
  const after = (await client.get('/who')).json as { data: Record<string, unknown> }
  // A request that failed, and could not even give up, may have replaced the sid all the same.
  const isMoved = present === old && status >= 300 && isReplaced(scene, await stateOf(witness(), old))
  if (healed.status >= 300 || (after.data['healed'] !== '1' && !isMoved)) return `afterwards: ${healed.status}, ${JSON.stringify(after)}`
  return wasHit
}

/** A request that failed after it had replaced the sid, or removed the session, has ended it: its client logs in again (DESIGN section 3). */
function isReplaced({ path: requested, to }: Scene, old: State | undefined): boolean {
  return old === undefined && (to === undefined || /^\/(login|regenerate)/.test(requested))
}

async function stateOf(store: FileStore, cookie: string | undefined): Promise<State | undefined> {
  if (cookie === undefined) return undefined
  const record = await store.read(idOf(cookie))
  if (!record || record.moved) return undefined
  const { owner, data } = record
  return { ...(owner !== undefined && { owner }), data }
}

function isSame(one: State | undefined, other: State | undefined): boolean {
  return one?.owner === other?.owner && show(one?.data) === show(other?.data)
}

function show(value: unknown): string {
  return JSON.stringify(value) ?? 'nothing'
}

/** Lets the n-th call fail for n = 1, 2, 3 … until there is none. */
export async function playAll(t: ExecutionContext, setting: Setting, what: string, isFailing: (call: Call) => boolean, plan: (call: Call, isNth: boolean) => ReturnType<Plan>): Promise<number> {
  const scene = scenes[what]!
  let hits = 0
  for (let first = 1; ; first += atOnce) {
    const numbers = Array.from({ length: atOnce }, (_, at) => first + at)
    const outcomes = await Promise.all(numbers.map((n) => play(setting, scene, isFailing, n, (call, calls) => plan(call, calls === n))))
    for (const [at, outcome] of outcomes.entries()) if (typeof outcome === 'string') t.fail(`${what}, call ${first + at}: ${outcome}`)
    hits += outcomes.filter((outcome) => outcome === true).length
    if (outcomes.at(-1) === false) return hits
  }
}

/** Asserts that each error is a store's error, for which the response is 503. */
export function assertTyped(t: ExecutionContext, { errors }: Setting): void {
  for (const error of errors) t.true(error instanceof SessionError && error.status === 503, String(error.stack))
}
