import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { memoryStore } from '../../src/index.js'
import { sessionCookie } from '../../src/testing/index.js'
import { startApp, type App, type Cleanup } from '../support/app.js'
import { Client } from '../support/client.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { day, hour, minute, secret } from '../support/story.js'
import { createBoard } from './applications/board.after.js'
import { createForum } from './applications/forum.after.js'
import { createNotes } from './applications/notes.after.js'
import { createShop } from './applications/shop.after.js'
import { createWiki } from './applications/wiki.after.js'

// Five applications, each as it was written for its old library (before) and as docs/migrating.md says (after). The old libraries run.

const require = createRequire(import.meta.url)
const keys = [secret]
const until = new Date(Date.now() + 30 * day)

/** A store of koa-generic-session and koa-session-minimal that somebody wrote. */
interface MapStore {
  readonly kept: Map<string, string>
  get(key: string): unknown
  set(key: string, value: unknown): void
  destroy(key: string): void
}

function createMapStore(): MapStore {
  const kept = new Map<string, string>()
  return {
    kept,
    get: (key) => (kept.has(key) ? JSON.parse(kept.get(key)!) : undefined) as unknown,
    set: (key, value) => void kept.set(key, JSON.stringify(value)),
    destroy: (key) => void kept.delete(key)
  }
}

async function old<Made = App>(name: string, create: string, given: object): Promise<Made> {
  const module = (await import(new URL(`applications/${name}.before.js`, import.meta.url).href)) as { [name: string]: (given: object) => Made }
  return module[create]!(given)
}

/** The clock of the new application, which begins with that of the old ones. */
function createClock(): { now: () => number; pass: (ms: number) => void } {
  let passed = 0
  return { now: () => Date.now() + passed, pass: (ms) => void (passed += ms) }
}

/** The browser of a user of the old application, who now meets the new one. */
async function moveTo(t: Cleanup, client: Client, app: App): Promise<Client> {
  return client.at(await startApp(t, app))
}

test('notes: koa-session without a store becomes cookieStore()', async (t) => {
  const clock = createClock()
  const before = new Client(await startApp(t, await old('notes', 'createNotes', { keys })), clock)
  await before.get('/login?user=momo')
  await before.get('/add?note=tea')
  t.deepEqual((await before.get('/')).json, { user: 'momo', notes: ['tea'] })
  const copy = before.copy()

  const after = await moveTo(t, before, createNotes({ keys, until, now: clock.now }))
  t.deepEqual((await after.get('/')).json, { user: 'momo', notes: ['tea'] })
  await after.get('/add?note=milk')
  clock.pass(minute)
  t.deepEqual((await after.get('/')).json, { user: 'momo', notes: ['tea', 'milk'] })
  t.deepEqual(after.cookies.map(({ name }) => name), ['notes'])

  await after.get('/logout')
  t.deepEqual(after.cookies, [])
  t.is((await after.get('/')).status, 401)

  // Such a cookie cannot be revoked. It works until it expires.
  const thief = copy.at(after.origin)
  t.is((await thief.get('/')).status, 200)
  clock.pass(day)
  const late = new Client(after.origin)
  t.is((await late.get('/', { headers: { cookie: copy.cookieHeader('/') } })).status, 401)
})

test('notes: "remember me" stays, and a user without it gets the lifetime of the options', async (t) => {
  for (const [path, lifetime] of [['/login?user=momo', day], ['/login?user=momo&remember=1', 30 * day]] as const) {
    const clock = createClock()
    const before = new Client(await startApp(t, await old('notes', 'createNotes', { keys })), clock)
    await before.get(path)
    const after = await moveTo(t, before, createNotes({ keys, until, now: clock.now }))
    await after.get('/')
    clock.pass(lifetime - minute)
    t.is((await after.get('/')).status, 200)
    clock.pass(lifetime + minute)
    t.is((await after.get('/')).status, 401)
  }
})

const redisTest = needsRedis(test)

redisTest('shop: koa-session with koa-redis becomes storeFromUrl(), with owners and events', async (t) => {
  const server = await startRedis()
  t.teardown(() => server.stop())
  const log: string[] = []
  type OldShop = { app: App; store: { get(key: string): unknown; destroy(key: string): unknown; quit(): Promise<unknown>; on(event: string, listener: () => void): void } }
  const { app, store: oldStore } = await old<OldShop>('shop', 'createShop', { keys, redis: server.url, log })
  oldStore.on('error', () => undefined)
  t.teardown(() => oldStore.quit())
  const clock = createClock()
  const before = new Client(await startApp(t, app), clock)
  await before.get('/add?item=tea')
  await before.get('/login')
  t.like((await before.get('/')).json, { userId: 17, cart: ['tea'], populated: true })
  const copy = before.copy()

  const shop = createShop({ keys, redis: server.url, oldStore, log, until, now: clock.now })
  t.teardown(async () => shop.store.close?.())
  const after = await moveTo(t, before, shop.app)
  t.deepEqual((await after.get('/')).json, { userId: 17, cart: ['tea'], populated: true, owner: '17' })
  await after.get('/add?item=milk')
  clock.pass(minute)
  t.like((await after.get('/')).json, { userId: 17, cart: ['tea', 'milk'] })
  t.deepEqual(after.cookies.map(({ name }) => name), ['sid'])
  t.like((await copy.at(after.origin).get('/')).json, { userId: null, cart: [] })
  // koa-session itself does not know it either.
  t.like((await copy.get('/')).json, { userId: null, cart: [] })
  t.deepEqual(log, ['missed'])

  const stale = after.copy()
  await after.get('/logout')
  t.like((await after.get('/')).json, { userId: null, populated: false })
  await stale.get('/')
  t.deepEqual(log, ['missed', 'missed'])
})

test('forum: koa-generic-session with its own cookie path', async (t) => {
  const clock = createClock()
  const oldStore = createMapStore()
  const before = new Client(await startApp(t, await old('forum', 'createForum', { keys, store: oldStore })), clock)
  await before.get('/forum/login?user=momo')
  await before.get('/forum/vote')
  t.deepEqual((await before.get('/forum/')).json, { user: 'momo', votes: 1, hasId: true })
  const copy = before.copy()

  const after = await moveTo(t, before, createForum({ keys, oldStore, until, store: memoryStore(), now: clock.now }))
  t.like((await after.get('/forum/')).json, { user: 'momo', votes: 1 })
  await after.get('/forum/vote')
  clock.pass(minute)
  t.deepEqual((await after.get('/forum/')).json, { user: 'momo', votes: 2, hasId: true })
  t.deepEqual(after.cookies.map(({ name, path }) => [name, path]), [['forum', '/forum']])
  t.is(oldStore.kept.size, 0)
  t.like((await copy.at(after.origin).get('/forum/')).json, { user: null, votes: 0 })
  clock.pass(6 * day)
  t.like((await after.get('/forum/')).json, { user: 'momo' })
})

test('forum: a logout in the first request leaves nothing of the old session', async (t) => {
  const oldStore = createMapStore()
  const before = new Client(await startApp(t, await old('forum', 'createForum', { keys, store: oldStore })))
  await before.get('/forum/login?user=momo')
  const after = await moveTo(t, before, createForum({ keys, oldStore, until, store: memoryStore() }))
  await after.get('/forum/logout')
  t.is(oldStore.kept.size, 0)
  t.deepEqual(after.cookies, [])
})

test('wiki: koa-session-minimal, whose cookies have no signature', async (t) => {
  const clock = createClock()
  const oldStore = createMapStore()
  const before = new Client(await startApp(t, await old('wiki', 'createWiki', { store: oldStore })), clock)
  await before.get('/login?user=momo')
  t.deepEqual((await before.get('/tea')).json, { user: 'momo', seen: ['/tea'] })
  const copy = before.copy()

  const after = await moveTo(t, before, createWiki({ keys, oldStore, until, store: memoryStore(), now: clock.now }))
  t.deepEqual((await after.get('/milk')).json, { user: 'momo', seen: ['/tea', '/milk'] })
  clock.pass(minute)
  t.deepEqual((await after.get('/')).json, { user: 'momo', seen: ['/tea', '/milk', '/'] })
  t.deepEqual(after.cookies.map(({ name }) => name), ['wiki'])
  t.is(oldStore.kept.size, 0)
  t.deepEqual((await copy.at(after.origin).get('/')).json, { user: null, seen: ['/'] })
})

test('wiki: a test begins logged in with a session that is really stored, and no store is stubbed', async (t) => {
  const options = { store: memoryStore(), name: 'wiki' }
  const origin = await startApp(t, createWiki({ keys, oldStore: createMapStore(), until, ...options }))
  const cookie = await sessionCookie({ user: 'momo' }, { ...options, keys })
  t.like((await new Client(origin).get('/', { headers: { cookie } })).json, { user: 'momo' })
})

test('board: express-session with session-file-store', async (t) => {
  const dir = await mkdtemp(join(tmpdir(), 'keepsake-board-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  type OldBoardStore = { get(sid: string, callback: (error?: unknown, session?: unknown) => void): void; destroy(sid: string, callback?: (error?: unknown) => void): void }
  type FileStores = (session: unknown) => new (options: object) => OldBoardStore
  const FileStore = (require('session-file-store') as FileStores)(require('express-session'))
  const oldStore = new FileStore({ path: dir, reapInterval: -1, retries: 0, logFn: () => undefined })
  const clock = createClock()
  const before = new Client(await startApp(t, await old('board', 'createBoard', { secret, store: oldStore })), clock)
  await before.get('/login?user=momo&remember')
  t.deepEqual((await before.get('/')).json, { user: 'momo', visits: 1 })
  const copy = before.copy()

  const after = await moveTo(t, before, createBoard({ secret, oldStore, until, store: memoryStore(), now: clock.now }))
  t.deepEqual((await after.get('/')).json, { user: 'momo', visits: 2 })
  clock.pass(minute)
  t.deepEqual((await after.get('/')).json, { user: 'momo', visits: 3 })
  t.deepEqual(after.cookies.map(({ name }) => name), ['board'])
  t.deepEqual((await copy.at(after.origin).get('/')).json, { user: null, visits: 1 })
  clock.pass(20 * day)
  t.deepEqual((await after.get('/')).json, { user: 'momo', visits: 4 })
})

test('board: a session of an hour is over after an hour, also in the new application', async (t) => {
  const { MemoryStore } = require('express-session') as { MemoryStore: new () => { get(sid: string, callback: (error?: unknown, session?: unknown) => void): void; destroy(sid: string): void } }
  const oldStore = new MemoryStore()
  const clock = createClock()
  const before = new Client(await startApp(t, await old('board', 'createBoard', { secret, store: oldStore })))
  await before.get('/login?user=momo')
  const cookie = before.cookieHeader('/')
  const after = await startApp(t, createBoard({ secret, oldStore, until, store: memoryStore(), now: clock.now }))
  clock.pass(hour)
  t.deepEqual((await new Client(after).get('/', { headers: { cookie } })).json, { user: null, visits: 1 })
})
