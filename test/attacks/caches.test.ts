import { PassThrough } from 'node:stream'
import { inspect } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import type { Context } from 'koa'
import { cookieStore, memoryStore, session, type SessionMembers } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { idOf } from '../support/events.js'
import { createApp, type Options } from '../support/story.js'
import { SharedCache, type Response } from './shared-cache.js'

type Access = (ctx: Context) => unknown

/** Every member of `ctx.session`, so that the compiler finds one that is missing. */
const members = {
  get: (ctx) => ctx.session.get('user'),
  set: (ctx) => ctx.session.set('user', nameOf(ctx)),
  has: (ctx) => ctx.session.has('user'),
  pop: (ctx) => ctx.session.pop('user'),
  take: (ctx) => ctx.session.take('user'),
  setDefault: (ctx) => void ctx.session.setDefault('user', nameOf(ctx)),
  update: (ctx) => ctx.session.update({ user: nameOf(ctx) }),
  clear: (ctx) => ctx.session.clear(),
  change: (ctx) => void ctx.session.change('user', (user: unknown) => user ?? nameOf(ctx)),
  increment: (ctx) => ctx.session.increment('count'),
  permanent: (ctx) => ctx.session.permanent,
  lifetime: (ctx) => ctx.session.lifetime,
  modified: (ctx) => ctx.session.modified,
  polling: (ctx) => ctx.session.polling,
  accessed: (ctx) => ctx.session.accessed,
  isNew: (ctx) => ctx.session.isNew,
  sid: (ctx) => ctx.session.sid?.length,
  recordId: (ctx) => ctx.session.recordId,
  owner: (ctx) => ctx.session.owner,
  createdAt: (ctx) => ctx.session.createdAt,
  expiresAt: (ctx) => ctx.session.expiresAt,
  loginAs: (ctx) => ctx.session.loginAs(nameOf(ctx)),
  endOthers: (ctx) => ctx.session.endOthers().catch(() => 0),
  regenerate: (ctx) => ctx.session.regenerate(),
  destroy: (ctx) => ctx.session.destroy(),
  save: (ctx) => ctx.session.save(),
  reload: (ctx) => ctx.session.reload()
} satisfies { [Name in keyof SessionMembers]: Access }

/** They say nothing about the session as long as a request uses nothing else. */
const sameForAll = new Set(['modified', 'polling', 'accessed', 'save'])

const ways: { readonly [what: string]: Access } = {
  ...members,
  'permanent = true': (ctx) => void (ctx.session.permanent = true),
  'lifetime = 1000': (ctx) => void (ctx.session.lifetime = 3_600_000),
  'modified = true': (ctx) => void (ctx.session.modified = true),
  'permanent = true, and data': (ctx) => {
    ctx.session.permanent = true
    ctx.session['user'] ??= nameOf(ctx)
  },
  'a property': (ctx) => ctx.session['user'],
  'a property that is set': (ctx) => void (ctx.session['user'] = nameOf(ctx)),
  'a property that is deleted': (ctx) => delete ctx.session['user'],
  'a nested property that is set': (ctx) => {
    const { items } = ctx.session.setDefault('cart', { items: [] as string[] })
    items.push(nameOf(ctx))
  },
  destructuring: ({ session: { user, ...rest } }) => [user, rest],
  in: (ctx) => 'user' in ctx.session,
  'Object.keys': (ctx) => Object.keys(ctx.session),
  'for in': (ctx) => {
    const keys: string[] = []
    for (const key in ctx.session) keys.push(key)
    return keys
  },
  'Object.hasOwn': (ctx) => Object.hasOwn(ctx.session, 'user'),
  'Object.assign': (ctx) => void Object.assign(ctx.session, { user: nameOf(ctx) }),
  'a spread': (ctx) => ({ ...ctx.session }),
  JSON: (ctx) => JSON.stringify(ctx.session),
  inspect: (ctx) => inspect(ctx.session),
  'structured copies': (ctx) => structuredClone({ ...ctx.session }),
  'ctx.session = {…}': (ctx) => void (ctx.session = { user: nameOf(ctx) }),
  'ctx.session = null': (ctx) => void (ctx.session = null),
  'regenerate() and data': async (ctx) => {
    await ctx.session.regenerate()
    ctx.session['user'] = nameOf(ctx)
  }
}

/** When the session is used: in a handler, or in a middleware before `session()` after all others have ended. */
interface Moment {
  readonly handler?: (ctx: Context, access: Access) => unknown
  readonly outer?: (ctx: Context, access: Access) => unknown
}

const moments: { readonly [when: string]: Moment } = {
  'in a handler': {
    handler: async (ctx, access) => (ctx.body = { value: await access(ctx) })
  },
  'in a middleware before session() after the others': {
    outer: async (ctx, access) => (ctx.body = { value: await access(ctx) })
  },
  'by the body, after all middlewares': {
    handler: (ctx, access) => (ctx.body = { toJSON: () => ({ value: access(ctx) }) })
  },
  'before a stream': {
    handler: async (ctx, access) => (ctx.body = new PassThrough().end(JSON.stringify({ value: await access(ctx) })))
  }
}

/** What an application may say about caching, and all of it may be said before or after it uses the session. */
const cachings: readonly Readonly<Record<string, string>>[] = [
  {}, { 'cache-control': 'public, max-age=600' }, { 'cache-control': 'public' }, { 'cache-control': 'max-age=600' }, { 'cache-control': 's-maxage=600, max-age=0' },
  { 'cache-control': 'no-cache' }, { 'cache-control': 'must-revalidate' }, { 'cache-control': 'immutable' }, { 'cache-control': 'stale-while-revalidate=600' },
  { 'cache-control': 'private="x-user", max-age=600' }, { 'cache-control': 'no-cache="set-cookie"' }, { expires: new Date(Date.now() + 3_600_000).toUTCString() },
  { 'cache-control': 'must-revalidate', expires: new Date(Date.now() + 3_600_000).toUTCString() }, { 'cache-control': 'public, max-age=600', vary: 'Accept-Encoding' },
  { 'cache-control': 'no-cache', etag: '"same for all"' }, { 'last-modified': new Date(0).toUTCString() }
]

/** What the application does with the session in the next request to `/page`, and what it says about caching. */
interface Page {
  access: Access
  caching: Readonly<Record<string, string>>
  /** Whether it says it after the session was used. */
  isLate: boolean
}

async function startPage(t: ExecutionContext, { handler, outer }: Moment, options: Options): Promise<{ page: Page; origin: string }> {
  const page: Page = { access: nothing, caching: {}, isLate: false }
  const app = createApp()
  app.silent = true
  app.use(async (ctx, next) => {
    if (!page.isLate) ctx.set(page.caching)
    await next()
    if (ctx.path === '/page') await outer?.(ctx, page.access)
    if (page.isLate) ctx.set(page.caching)
    if (ctx.fresh && page.caching['etag'] !== undefined) ctx.status = 304
  })
  app.use(session(options))
  app.use(async (ctx) => {
    ctx.status = 200
    if (ctx.path === '/start') ctx.session['user'] = nameOf(ctx)
    else await handler?.(ctx, page.access)
  })
  return { page, origin: await startApp(t, app) }
}

/** The deadline moves on each request, with a cookie; or never. */
const refreshing = { touchAfter: 0, permanent: true }
const quiet = { refreshEachRequest: false }
const settings: readonly (readonly [what: string, options: Options])[] = [
  ['memory, refreshed', { store: memoryStore(), ...refreshing }], ['memory', { store: memoryStore(), ...quiet }],
  ['cookie, refreshed', { store: cookieStore(), ...refreshing }], ['cookie', { store: cookieStore(), ...quiet }]
]

/** How many of the texts about caching each way of access meets. All ways together meet each of them. */
const cachingsPerWay = 4

for (const [what, options] of settings) {
  for (const [when, moment] of Object.entries(moments)) {
    test(`through a shared cache, nobody gets another's cookie or data, however the session is used ${when} (${what})`, async (t) => {
      const { page, origin } = await startPage(t, moment, options)
      let hits = 0
      for (const [at, [way, access]] of Object.entries(ways).entries()) {
        for (let turn = 0; turn < cachingsPerWay; turn++) {
          Object.assign(page, { access, caching: cachings[(at * cachingsPerWay + turn) % cachings.length]!, isLate: (at + turn) % 2 === 1 })
          const crowd = new Crowd(origin)
          await crowd.visit()
          t.deepEqual(crowd.leaks, [], `${way}, ${JSON.stringify(page.caching)}${page.isLate ? ', late' : ''}`)
          hits += crowd.hits
        }
      }
      t.true(hits > 50, `the cache did serve what it could: ${hits}`)
    })

    test(`a response has Vary: Cookie in whichever way the session is used ${when} (${what})`, async (t) => {
      const { page, origin } = await startPage(t, moment, options)
      const client = new Client(origin)
      for (const [way, access] of Object.entries(ways)) {
        if (sameForAll.has(way)) continue
        page.access = access
        for (const path of ['/page', '/start', '/page']) t.is((await client.get(path, { headers: { 'x-person': 'ann' } })).headers.vary, 'Cookie', `${way}, ${path}`)
      }
      page.access = nothing
      t.is((await new Client(origin).get('/page')).headers.vary, undefined)
    })
  }
}

/** People who visit one page through shared caches. */
class Crowd {
  readonly leaks: string[] = []
  /** The caches that visitors, and that users, use first. */
  readonly #visitorsFirst: SharedCache
  readonly #usersFirst: SharedCache
  readonly #direct: SharedCache
  readonly #cookies = new Map<string, string>()

  constructor(origin: string) {
    this.#visitorsFirst = new SharedCache(origin)
    this.#usersFirst = new SharedCache(origin)
    this.#direct = new SharedCache(origin)
  }

  get hits(): number {
    return this.#visitorsFirst.hits + this.#usersFirst.hits
  }

  async visit(): Promise<void> {
    for (const person of ['cara', 'dora']) this.#take(person, await this.#direct.get(`/start?${person}`, '', person))
    for (const person of ['cara', 'dora', 'ann', 'ben']) await this.#visitPage(this.#usersFirst, person)
    for (const person of ['ann', 'ben', 'ann', 'cara', 'emma']) await this.#visitPage(this.#visitorsFirst, person)
  }

  async #visitPage(cache: SharedCache, person: string): Promise<void> {
    this.#take(person, await cache.get('/page', this.#cookieOf(person), person))
  }

  #cookieOf(person: string): string {
    return this.#cookies.get(person) ?? ''
  }

  #take(person: string, { headers, text }: Response): void {
    const lines = headers['set-cookie'] ?? []
    for (const other of people) {
      if (other === person) continue
      const cookie = this.#cookieOf(other)
      const value = cookie.slice('session='.length)
      if (text.includes(other)) this.leaks.push(`${person} sees the data of ${other}: ${text}`)
      if (value === '') continue
      if (text.includes(idOf(value))) this.leaks.push(`${person} sees the id of ${other}: ${text}`)
      if (lines.some((line) => line.startsWith(cookie))) this.leaks.push(`${person} is sent the cookie of ${other}`)
    }
    for (const line of lines) this.#cookies.set(person, line.startsWith('session=;') ? '' : line.slice(0, line.indexOf(';')))
  }
}

const nothing: Access = () => undefined

const people = ['ann', 'ben', 'cara', 'dora', 'emma']

/** Who sends the request, as a login would find out. It is not a part of the address, because the cache would keep addresses apart. */
function nameOf(ctx: Context): string {
  return ctx.get('x-person')
}
