import test from 'ava'
import { randomBytes } from 'node:crypto'
import { EventEmitter } from 'node:events'
import { createMark, defaultScope, type SessionRecord } from '../../../src/store/index.js'
import { adapterOf, fromExpressStore, fromKoaSessionStore, type ExpressStore, type KoaSessionStore } from '../../../src/stores/adapters/index.js'
import { KeyLocks } from '../../../src/stores/adapters/key-locks.js'
import { recordEvents } from '../../support/events.js'
import { createGate } from '../../support/gate.js'

type Call = [method: string, key: string, ...rest: unknown[]]
type Callback = (error?: unknown, session?: unknown) => void

/** A koa-session store that keeps the very objects that it is given, and answers without promises. */
function createKoaStore() {
  const sessions = new Map<string, object>()
  const calls: Call[] = []
  return {
    sessions,
    calls,
    get: (key: string, ...rest: unknown[]): unknown => (calls.push(['get', key, ...rest]), sessions.get(key)),
    set: (key: string, session: object, ...rest: unknown[]): unknown => (calls.push(['set', key, session, ...rest]), sessions.set(key, session)),
    destroy: (key: string, ...rest: unknown[]): unknown => (calls.push(['destroy', key, ...rest]), sessions.delete(key))
  }
}

/** A store for express-session with the given methods. */
function createExpressStore(methods: Partial<Record<'get' | 'set' | 'destroy', (...args: never[]) => unknown>>): ExpressStore {
  return Object.assign(new EventEmitter(), { get: succeed, set: succeed, destroy: succeed, createSession: () => undefined }, methods)
}

function succeed(...args: unknown[]): void {
  const callback = args.at(-1) as Callback
  callback(null)
}

function failWithNoRoom(...args: unknown[]): void {
  const callback = args.at(-1) as Callback
  callback(new Error('no room'))
}

function failWithNoFile(_key: string, callback: Callback): void {
  callback(Object.assign(new Error('no such file'), { code: 'ENOENT' }))
}

/** Answers as late as a store on a server does. */
function later<T>(value: T): Promise<T> {
  return new Promise((resolve) => setImmediate(resolve, value))
}

function newRecord(fields: Partial<SessionRecord> = {}): SessionRecord {
  const now = Date.now()
  const id = randomBytes(32).toString('hex')
  return { rev: 1, write: createMark(), id, created: now, used: now, expires: now + 3_600_000, permanent: false, data: { user: 'momo' }, ...fields }
}

const counting = (record: SessionRecord): SessionRecord => ({ ...record, data: { ...record.data, count: Number(record.data['count'] ?? 0) + 1 } })

test('a koa-session store gets the key, a session with a cookie that expires, the time in milliseconds, and the facts that it expects', async (t) => {
  const foreign = createKoaStore()
  const store = fromKoaSessionStore(foreign)
  const record = newRecord()
  t.true(await store.create(record.id, record))
  t.deepEqual(await store.read(record.id), record)
  t.deepEqual(await store.destroy(record.id), record)
  const key = `session:${record.id}`
  t.deepEqual(foreign.calls.map(([method, used]) => `${method} ${used === key}`), ['get true', 'set true', 'get true', 'get true', 'get true', 'destroy true'])
  const [, , session, ttl, facts] = foreign.calls[1]!
  const { cookie } = session as { cookie: { expires: Date; maxAge: number; originalMaxAge: number } }
  t.true(Number(ttl) > 3_600_000 + 59_000 && Number(ttl) <= 3_600_000 + 60_000, 'a minute more than the deadline')
  t.is(cookie.maxAge, Number(ttl))
  t.is(cookie.originalMaxAge, Number(ttl))
  t.true(Math.abs(cookie.expires.getTime() - Date.now() - Number(ttl)) < 5000)
  t.deepEqual(facts, { rolling: false, changed: true })
  t.deepEqual(foreign.calls[0]!.slice(2), [undefined, { rolling: false }])
})

test('a record whose deadline has passed is given a minute, because stores take no time for "without end"', async (t) => {
  const foreign = createKoaStore()
  const record = newRecord({ expires: Date.now() - 1_000_000 })
  await fromKoaSessionStore(foreign).create(record.id, record)
  t.is(foreign.calls.at(-1)![3], 60_000)
})

test('no prefix makes a path of a key', async (t) => {
  const foreign = createKoaStore()
  const store = fromKoaSessionStore(foreign).scope!({ ...defaultScope, prefix: '../ü/%2F\\:' })
  const record = newRecord()
  await store.create(record.id, record)
  t.deepEqual([...foreign.sessions.keys()], [`..%2F%C3%BC%2F%252F%5C:${record.id}`])
  t.deepEqual(await store.read(record.id), record)
})

test('a value that no adapter has stored is corrupt, and is neither overwritten nor removed', async (t) => {
  const events = recordEvents(t)
  const foreign = createKoaStore()
  const store = fromKoaSessionStore(foreign)
  const values: unknown[] = [{ user: 'old' }, { record: 7 }, 'text', 7, true, []]
  for (const value of values) {
    const record = newRecord()
    foreign.sessions.set(`session:${record.id}`, value as object)
    t.is(await store.read(record.id), undefined)
    t.is(await store.update(record.id, counting, record), undefined)
    t.is(await store.destroy(record.id), undefined)
    t.false(await store.create(record.id, record))
    t.is(foreign.sessions.get(`session:${record.id}`), value as object)
    t.is(events.filter((event) => event.type === 'corrupt' && event.id === record.id).length, 4)
  }
})

test('adapters of one store exclude each other', async (t) => {
  const slow = createKoaStore()
  const foreign = {
    get: async (key: string) => later(slow.get(key)),
    set: async (key: string, session: object) => later(slow.set(key, session)),
    destroy: async (key: string) => later(slow.destroy(key))
  }
  const stores = [fromKoaSessionStore(foreign), fromKoaSessionStore(foreign)]
  const first = newRecord()
  // With the same mark, the second record would be the first creation, sent again.
  const records = [first, { ...first, write: createMark() }]
  const created = await Promise.all(stores.map(async (store, index) => store.create(first.id, records[index]!)))
  t.is(created.filter(Boolean).length, 1)
  const record = records[created.indexOf(true)]!
  await Promise.all(Array.from({ length: 40 }, async (_, at) => stores[at % 2]!.update(record.id, counting, record)))
  t.is((await stores[0]!.read(record.id))?.data['count'], 40)
  const ended = await Promise.all(stores.map(async (store) => store.destroy(record.id)))
  t.is(ended.filter(Boolean).length, 1)
})

test('a logout waits for a save that is still on its way, so that the session does not come back', async (t) => {
  const inner = createKoaStore()
  const gate = createGate()
  let holds = false
  const foreign = {
    ...inner,
    set: async (key: string, session: object) => {
      if (holds) await gate.pass()
      inner.set(key, session)
    }
  }
  const stores = [fromKoaSessionStore(foreign), fromKoaSessionStore(foreign)]
  const record = newRecord()
  await stores[0]!.create(record.id, record)
  holds = true
  const save = stores[0]!.update(record.id, counting)
  await gate.reached()
  const logout = stores[1]!.destroy(record.id)
  gate.open()
  t.is((await save)?.rev, 2)
  t.is((await logout)?.rev, 2)
  t.is(inner.sessions.size, 0)
})

test('an error of the store is ERR_SESSION_STORE, whether it is thrown, rejected or given to a callback', async (t) => {
  const cause = new Error('no room')
  const fail = () => {
    throw cause
  }
  const stores = [
    fromKoaSessionStore({ ...createKoaStore(), get: fail }),
    fromKoaSessionStore({ ...createKoaStore(), get: async () => fail() }),
    fromExpressStore(createExpressStore({ get: fail })),
    fromExpressStore(createExpressStore({ get: async () => fail() })),
    fromExpressStore(createExpressStore({ get: (_key: string, callback: Callback) => callback(cause) }))
  ]
  for (const store of stores) {
    const record = newRecord()
    const expected = { name: 'SessionError', code: 'ERR_SESSION_STORE', message: /no room/ }
    t.is((await t.throwsAsync(async () => store.read(record.id), expected)).cause, cause)
    await t.throwsAsync(async () => store.create(record.id, record), expected)
    await t.throwsAsync(async () => store.update(record.id, counting, record), expected)
    await t.throwsAsync(async () => store.destroy(record.id), expected)
  }
})

test('a failed set or destroy of an express-session store fails the call', async (t) => {
  const record = newRecord()
  const expected = { name: 'SessionError', code: 'ERR_SESSION_STORE', message: /no room/ }
  await t.throwsAsync(async () => fromExpressStore(createExpressStore({ set: failWithNoRoom })).create(record.id, record), expected)
  const stored = { get: (_key: string, callback: Callback) => callback(null, { record: JSON.stringify(record) }), destroy: failWithNoRoom }
  await t.throwsAsync(async () => fromExpressStore(createExpressStore(stored)).destroy(record.id), expected)
})

test('an error ENOENT of an express-session store is "no session", as express-session takes it', async (t) => {
  t.is(await fromExpressStore(createExpressStore({ get: failWithNoFile })).read(newRecord().id), undefined)
})

test('a call that fails does not hold back the next one', async (t) => {
  const inner = createKoaStore()
  let fails = false
  const foreign = {
    ...inner,
    set: (key: string, session: object) => {
      if (fails) throw new Error('no room')
      return inner.set(key, session)
    }
  }
  const store = fromKoaSessionStore(foreign)
  const record = newRecord()
  await store.create(record.id, record)
  fails = true
  await t.throwsAsync(async () => store.update(record.id, counting), { code: 'ERR_SESSION_STORE' })
  fails = false
  t.is((await store.update(record.id, counting))?.rev, 2)
})

test('generator functions are an error that says what to do', async (t) => {
  const foreign = {
    *get() {
      yield undefined
    },
    *set() {
      yield undefined
    },
    *destroy() {
      yield undefined
    }
  }
  await t.throwsAsync(async () => fromKoaSessionStore(foreign).read(newRecord().id), { code: 'ERR_SESSION_STORE', message: /generator functions.*wrap its methods with co\.wrap/ })
})

test('anything but a store, and a store for the other adapter, is a TypeError that names the right adapter', (t) => {
  for (const value of [undefined, null, 'redis', {}, { get: () => undefined }, new Map()]) {
    t.throws(() => fromKoaSessionStore(value as unknown as KoaSessionStore), { instanceOf: TypeError, message: /must have the methods get, set and destroy/ })
    t.throws(() => fromExpressStore(value as unknown as ExpressStore), { instanceOf: TypeError, message: /with the methods get, set and destroy/ })
    t.is(adapterOf(value), undefined)
  }
  t.throws(() => fromKoaSessionStore(createExpressStore({})), { instanceOf: TypeError, message: /use fromExpressStore\(store\)/ })
  t.throws(() => fromExpressStore(createKoaStore()), { instanceOf: TypeError, message: /use fromKoaSessionStore\(store\)/ })
  t.is(adapterOf(createExpressStore({})), 'fromExpressStore')
  t.is(adapterOf(createKoaStore()), 'fromKoaSessionStore')
})

test('work under one key runs in the order in which it was asked for, and under another key beside it', async (t) => {
  const locks = new KeyLocks()
  const order: string[] = []
  const gate = createGate()
  const first = locks.run('a', () => gate.pass().then(() => order.push('first')))
  const failing = locks.run('a', async () => Promise.reject(new Error(`after ${order.join()}`)))
  const last = locks.run('a', async () => order.push('last'))
  await locks.run('b', async () => order.push('beside'))
  gate.open()
  await Promise.all([first, t.throwsAsync(failing, { message: 'after beside,first' }), last])
  t.deepEqual(order, ['beside', 'first', 'last'])
})
