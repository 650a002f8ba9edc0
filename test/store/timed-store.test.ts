import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import { SessionError } from '../../src/errors.js'
import { isPromise, markChecked, TimedStore, type SessionRecord, type SessionStore } from '../../src/store/index.js'
import { memoryStore } from '../../src/stores/memory/index.js'
import { recordEvents } from '../support/events.js'
import { count, newRecord } from './new-record.js'
import { after, TextDatabase } from './text-backend.js'

/** Long enough for a store that answers. */
const long = 10_000
/** Short enough to wait for where a store does not answer. */
const short = 20

// The timers of the store do not keep the process alive.
const alive = setInterval(() => undefined, long)
test.after.always(() => clearInterval(alive))

const never = new Promise<never>(() => undefined)
const timedOut = { instanceOf: SessionError, code: 'ERR_SESSION_TIMEOUT' }

/** A store of which each method answers the same. */
function answering(answer: () => unknown): SessionStore {
  const method = answer as () => never
  return { read: method, create: method, update: method, destroy: method }
}

function failing(error: unknown): () => never {
  return () => {
    throw error
  }
}

/** Each call of the timed store, with a record that it is about. */
function callsOf(store: TimedStore, record: SessionRecord): readonly [action: string, call: () => unknown][] {
  return [
    ['read a session', () => store.read(record.id)],
    ['create a session', () => store.create(record)],
    ['save a session', () => store.update('save a session', record, count)],
    ['remove a session', () => store.destroy(record.id)]
  ]
}

test.serial('a store that answers at once causes no promise and no timer', (t) => {
  const real = globalThis.setTimeout
  t.teardown(() => void (globalThis.setTimeout = real))
  globalThis.setTimeout = failing(new Error('a timer was started')) as unknown as typeof setTimeout
  const store = new TimedStore(memoryStore(), long)
  const record = newRecord()
  t.is(store.create(record), undefined)
  t.is(store.read(record.id), record)
  const written = store.update('save a session', record, count)
  t.false(isPromise(written as Promise<unknown>))
  t.like(written, { rev: 2, data: { count: 1 } })
  t.is<unknown, unknown>(store.destroy(record.id), written)
  t.is(store.read(record.id), undefined)
})

test('a store that answers promises gives the same answers', async (t) => {
  const store = new TimedStore(new TextDatabase().store(), long)
  const record = newRecord()
  t.is(await store.create(record), undefined)
  t.deepEqual(await store.read(record.id), record)
  const written = await store.update('save a session', record, count)
  t.like(written, { rev: 2, data: { count: 1 } })
  t.deepEqual<unknown, unknown>(await store.destroy(record.id), written)
  t.is(await store.destroy(record.id), undefined)
  t.is(await store.update('save a session', record, count), undefined)
})

test('a store that never answers ends each call with ERR_SESSION_TIMEOUT and an event', async (t) => {
  const events = recordEvents(t)
  const record = newRecord()
  for (const [action, call] of callsOf(new TimedStore(answering(() => never), short), record)) {
    const error = await t.throwsAsync(async () => call(), timedOut)
    t.is(error?.message, `the session store took over 20 ms to ${action}: look at the backend, or raise storeTimeout`)
    t.deepEqual(events.splice(0).filter(({ id }) => id === record.id), [{ type: 'store-error', id: record.id, error }])
  }
})

test('a store that throws or rejects fails each call with ERR_SESSION_STORE, the cause and an event', async (t) => {
  const events = recordEvents(t)
  const record = newRecord()
  const cause = new Error('out of order')
  for (const answer of [failing(cause), async () => failing(cause)()]) {
    for (const [action, call] of callsOf(new TimedStore(answering(answer), long), record)) {
      const error = await t.throwsAsync(async () => call(), { instanceOf: SessionError, code: 'ERR_SESSION_STORE' })
      t.is(error?.message, `the session store failed to ${action}: out of order`)
      t.is(error?.cause, cause)
      t.deepEqual(events.splice(0).filter(({ id }) => id === record.id), [{ type: 'store-error', id: record.id, error }])
    }
  }
})

test('an answer or an error that comes after the timeout is ignored', async (t) => {
  const events = recordEvents(t)
  const record = newRecord()
  const settle: [(value: unknown) => void, (error: unknown) => void][] = []
  const late = () => new Promise((resolve, reject) => settle.push([resolve, reject]))
  for (const [, call] of callsOf(new TimedStore(answering(late), short), record)) {
    for (let at = 0; at < 2; at++) await t.throwsAsync(async () => call(), timedOut)
  }
  const before = events.filter(({ id }) => id === record.id).length
  // An unhandled rejection would end the process.
  for (const [at, [resolve, reject]] of settle.entries()) {
    if (at % 2 === 0) resolve(record)
    else reject(new Error('late'))
  }
  for (let turn = 0; turn < 3; turn++) await setImmediate()
  t.is(events.filter(({ id }) => id === record.id).length, before)
})

test('an update that timed out is not made when the store runs its recipe later', async (t) => {
  const database = new TextDatabase()
  const inner = database.store()
  const store = new TimedStore(inner, short)
  const record = newRecord()
  await inner.create(record.id, record)
  let release!: () => void
  const released = new Promise<void>((resolve) => (release = resolve))
  const rival = database.store()
  database.fail(
    after(async () => {
      await released
      await rival.update(record.id, count)
    })
  )
  await t.throwsAsync(async () => store.update('save a session', record, count), timedOut)
  release()
  await inner.update(record.id, (current) => current)
  t.like(await inner.read(record.id), { rev: 3, data: { count: 1 } }, 'the other update and the last one')
})

test("a recipe's own error reaches the caller unchanged, even if the store wraps it, and is not an event", async (t) => {
  const events = recordEvents(t)
  const record = newRecord()
  const mistake = new TypeError('a recipe')
  const wrapping: SessionStore = {
    ...answering(() => undefined),
    async update(_, recipe) {
      try {
        return recipe(record)
      } catch (cause) {
        throw new Error('wrapped', { cause })
      }
    }
  }
  const stores = [memoryStore(), new TextDatabase().store(), wrapping]
  for (const store of stores) {
    await store.create(record.id, record)
    t.is(await t.throwsAsync(async () => new TimedStore(store, long).update('save a session', record, failing(mistake))), mistake)
  }
  t.deepEqual(events.filter(({ id }) => id === record.id), [])
})

test('an error of an earlier run of a recipe is not taken for the failure of the store', async (t) => {
  const record = newRecord()
  let runs = 0
  const retrying: SessionStore = {
    ...answering(() => undefined),
    update(_, recipe) {
      try {
        recipe(record)
      } catch {
        recipe(record)
      }
      throw new Error('out of order')
    }
  }
  const recipe = (current: SessionRecord) => {
    if (runs++ === 0) throw new Error('the first run')
    return current
  }
  await t.throwsAsync(async () => new TimedStore(retrying, long).update('save a session', record, recipe), { code: 'ERR_SESSION_STORE', message: /out of order/ })
})

test('each further run of a recipe is a conflict event', async (t) => {
  const events = recordEvents(t)
  const database = new TextDatabase()
  const [store, rival] = [database.store(), database.store()]
  const record = newRecord()
  await store.create(record.id, record)
  database.fail(after(async () => rival.update(record.id, count)))
  t.like(await new TimedStore(store, long).update('save a session', record, count), { rev: 3 })
  t.deepEqual(events.filter(({ id }) => id === record.id), [{ type: 'conflict', id: record.id }])
})

test("an update that meets a marker answers 'moved' and writes nothing", async (t) => {
  for (const store of [memoryStore(), new TextDatabase().store()]) {
    const record = newRecord()
    await store.create(record.id, record)
    const marker = await store.update(record.id, (current) => ({ ...current, moved: true, data: {} }))
    t.is(await new TimedStore(store, long).update('save a session', record, count), 'moved')
    t.deepEqual(await store.read(record.id), marker ?? undefined)
  }
})

test('an answer that is not a record of the id counts as missing in a read, and is an error in an update and a removal', async (t) => {
  const events = recordEvents(t)
  const record = newRecord()
  const other = newRecord()
  for (const answer of [other, { ...record, rev: '1' }, 'text', 7] as unknown[]) {
    for (const wrong of [() => answer, async () => answer]) {
      const store = new TimedStore(answering(wrong), long)
      t.is(await store.read(record.id), undefined)
      t.is(events.splice(0).filter(({ id, type }) => id === record.id && type === 'corrupt').length, 1)
      const error = { code: 'ERR_SESSION_STORE', message: /^the session store returned something that is not the record of the session: / }
      await t.throwsAsync(async () => store.update('save a session', record, count), error)
      await t.throwsAsync(async () => store.destroy(record.id), error)
    }
  }
})

test('a store that checks its records itself is not checked a second time', async (t) => {
  const odd = { ...newRecord(), rev: '1' } as unknown as SessionRecord
  const store = answering(() => odd)
  markChecked(store)
  t.is(await new TimedStore(store, long).read(odd.id), odd)
})

test('an id that a store says is taken, or a creation that is not confirmed, is an error', async (t) => {
  for (const answer of [false, undefined, 1]) {
    const store = new TimedStore(answering(() => answer), long)
    await t.throwsAsync(async () => store.create(newRecord()), { code: 'ERR_SESSION_STORE', message: /says that a new random id is taken/ })
  }
})

test('a listing ends in time at each step, and so does its end', async (t) => {
  const records = [newRecord(), newRecord()]
  const hanging: SessionStore = {
    ...answering(() => undefined),
    async *records() {
      yield* records
      yield await never
    }
  }
  const seen: SessionRecord[] = []
  const list = async (store: SessionStore, most = Infinity): Promise<void> => {
    for await (const record of new TimedStore(store, short).list()) if (seen.push(record) >= most) break
  }
  const error = await t.throwsAsync(list(hanging), timedOut)
  t.regex(error?.message ?? '', /to list sessions/)
  t.deepEqual(seen.splice(0), records)
  const slowEnd: SessionStore = {
    ...answering(() => undefined),
    async *records() {
      try {
        yield* records
      } finally {
        await never
      }
    }
  }
  await list(slowEnd, 1)
  t.is(seen.splice(0).length, 1)
  const mixed: SessionStore = {
    ...answering(() => undefined),
    async *records() {
      yield { ...records[0]!, rev: 0 }
      yield records[1]!
    }
  }
  await list(mixed)
  t.deepEqual(seen, [records[1]], 'what is no record is left out')
})
