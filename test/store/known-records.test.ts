import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import test from 'ava'
import { writeRecord, type SessionRecord } from '../../src/record/index.js'
import { defaultScope, TimedStore } from '../../src/store/index.js'
import { KnownRecords } from '../../src/store/known-records.js'
import { recordEvents } from '../support/events.js'
import { newRecord, withKey } from './new-record.js'
import { TextDatabase } from './text-backend.js'

const minute = 60_000

async function setUp(options: ConstructorParameters<typeof TextDatabase>[0] = {}) {
  const database = new TextDatabase(options)
  const store = database.store()
  const record = newRecord({ data: { cart: ['tea'] } })
  await store.create(record.id, record)
  return { database, store, reader: new TimedStore(store, minute), record, id: record.id }
}

test('for the middleware, reads of an unchanged record return the same object', async (t) => {
  const { reader, record, id } = await setUp()
  const first = await reader.read(id)
  t.deepEqual(first, record)
  t.is(await reader.read(id), first)
})

test('a reader other than the middleware gets an object of its own, because it may change it', async (t) => {
  const { database, id } = await setUp()
  const store = database.store()
  const first = await store.read(id)
  t.not(await store.read(id), first)
  t.deepEqual(await store.read(id), first)
})

test('a record that another process has changed is read anew', async (t) => {
  const { database, reader, id } = await setUp()
  await reader.read(id)
  await database.store().update(id, withKey('count', 1))
  t.deepEqual((await reader.read(id))?.data, { cart: ['tea'], count: 1 })
})

test('an earlier text that is restored is read as it is', async (t) => {
  const { database, reader, record, id } = await setUp()
  const first = await reader.read(id)
  await reader.update('save a session', first!, withKey('count', 1))
  t.is((await reader.read(id))?.rev, 2)
  database.put(defaultScope, id, writeRecord(record))
  t.deepEqual(await reader.read(id), record)
})

test('a known record is not read after its deadline, after it was removed, or when its text is corrupt', async (t) => {
  let now = Date.now()
  const database = new TextDatabase()
  const scope = { ...defaultScope, now: () => now }
  const reader = new TimedStore(database.store().scope!(scope), minute)
  const record = newRecord({ expires: now + minute })
  const put = (): void => database.put(scope, record.id, writeRecord(record))
  put()
  t.truthy(await reader.read(record.id))

  database.put(scope, record.id, '{"rev":1')
  const events = recordEvents(t)
  t.is(await reader.read(record.id), undefined)
  t.is(events.filter(({ type }) => type === 'corrupt').length, 1)

  database.entries.clear()
  t.is(await reader.read(record.id), undefined)

  put()
  t.truthy(await reader.read(record.id))
  now += minute
  t.is(await reader.read(record.id), undefined)
})

test('the text under one id is never taken for the record of another', async (t) => {
  const { database, reader, record, id } = await setUp()
  const other = newRecord()
  await reader.create(other)
  await Promise.all([reader.read(id), reader.read(other.id)])
  database.put(defaultScope, other.id, writeRecord(record))
  t.is(await reader.read(other.id), undefined)
})

test('an update after a read from memory compares the newest token of the backend', async (t) => {
  const { database, reader, record, id } = await setUp({ tokens: true })
  await reader.read(id)
  // The same text with another token, as when memcached got it again.
  database.put(defaultScope, id, writeRecord(record))
  const seen = await reader.read(id)
  database.calls.length = 0
  await reader.update('save a session', seen!, withKey('count', 1))
  t.deepEqual(database.calls, ['replace'])
})

test('the data of a session that has ended or moved does not stay in memory', async (t) => {
  const ends: ((reader: TimedStore, seen: SessionRecord) => unknown)[] = [
    (reader, { id }) => reader.destroy(id),
    (reader, seen) => reader.update('save a session', seen, () => null),
    (reader, seen) => reader.update('save a session', seen, (record) => ({ ...record, moved: true, data: {} }))
  ]
  for (const end of ends) {
    const { reader, id } = await setUp()
    await reader.read(id)
    const known = new WeakRef((await reader.read(id))!)
    await end(reader, known.deref()!)
    t.true(await isCollected(known))
  }
})

test('known records are bounded by the length of their texts', (t) => {
  const known = new KnownRecords()
  const text = 'x'.repeat(2 ** 16)
  const record = newRecord()
  const ids = Array.from({ length: 100 }, () => newRecord().id)
  for (const id of ids) known.remember(id, text, record)
  const kept = ids.filter((id) => known.find(id, text))
  t.true(kept.length >= 16 && kept.length <= 32, `${kept.length} texts of 64 Ki characters`)
  const longest = 'x'.repeat(2 ** 17 + 1)
  known.remember(ids[0]!, longest, record)
  t.is(known.find(ids[0]!, longest), undefined)
})

/** Reports whether an object is garbage. */
async function isCollected(reference: WeakRef<object>): Promise<boolean> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  for (let tries = 0; tries < 20; tries++) {
    await new Promise(setImmediate)
    collect()
    if (!reference.deref()) return true
  }
  return false
}
