import test from 'ava'
import { writeRecord, type SessionRecord } from '../../src/record/index.js'
import { defaultScope, TimedStore, type SessionStore } from '../../src/store/index.js'
import { KnownRecords } from '../../src/store/known-records.js'
import { recordEvents } from '../support/events.js'
import { isCollected } from '../support/garbage.js'
import { until } from '../support/redis.js'
import { newRecord, withKey } from './new-record.js'
import { TextDatabase } from './text-backend.js'

const minute = 60_000

async function setUp(options: ConstructorParameters<typeof TextDatabase>[0] = {}) {
  const database = new TextDatabase(options)
  const store = database.store()
  const record = newRecord({ data: { cart: ['tea'] } })
  await store.create(record.id, record)
  return { database, reader: readerOf(store), record, id: record.id }
}

/** The store as the middleware uses it. */
function readerOf(store: SessionStore): TimedStore {
  const reader = new TimedStore(store, minute)
  reader.shareReads()
  return reader
}

/** Reads often enough for the record to be known. */
async function readTwice(reader: TimedStore, id: string): Promise<SessionRecord> {
  await reader.read(id)
  return (await reader.read(id))!
}

test('for the middleware, reads of an unchanged record return the same object', async (t) => {
  const { reader, record, id } = await setUp()
  const second = await readTwice(reader, id)
  t.deepEqual(second, record)
  t.is(await reader.read(id), second)
})

test('a record that is read once between two writes is not kept in memory', async (t) => {
  const { reader, id } = await setUp()
  for (let times = 0; times < 3; times++) {
    const seen = new WeakRef((await reader.read(id))!)
    await reader.update('save a session', seen.deref()!, withKey('count', times))
    t.true(await isCollected(seen))
  }
})

test('a reader other than the middleware gets an object of its own, because it may change it', async (t) => {
  const { database, id } = await setUp()
  const store = database.store()
  const reads = await Promise.all([1, 2, 3, 4].map(async () => store.read(id)))
  t.is(new Set(reads).size, 4)
})

test('a record that another process has changed is read anew', async (t) => {
  const { database, reader, id } = await setUp()
  await readTwice(reader, id)
  await database.store().update(id, withKey('count', 1))
  t.deepEqual((await reader.read(id))?.data, { cart: ['tea'], count: 1 })
})

test('an earlier text that is restored is read as it is', async (t) => {
  const { database, reader, record, id } = await setUp()
  await reader.update('save a session', await readTwice(reader, id), withKey('count', 1))
  t.is((await readTwice(reader, id)).rev, 2)
  database.put(defaultScope, id, writeRecord(record))
  t.deepEqual(await reader.read(id), record)
})

test('a known record is not read after its deadline, after it was removed, or when its text is corrupt', async (t) => {
  let now = Date.now()
  const database = new TextDatabase()
  const scope = { ...defaultScope, now: () => now }
  const reader = readerOf(database.store().scope!(scope))
  const record = newRecord({ expires: now + minute })
  const put = (): void => database.put(scope, record.id, writeRecord(record))
  put()
  t.truthy(await readTwice(reader, record.id))

  database.put(scope, record.id, '{"rev":1')
  const events = recordEvents(t)
  t.is(await reader.read(record.id), undefined)
  t.is(events.filter(({ type }) => type === 'corrupt').length, 1)

  database.entries.clear()
  t.is(await reader.read(record.id), undefined)

  put()
  t.truthy(await readTwice(reader, record.id))
  now += minute
  t.is(await reader.read(record.id), undefined)
})

test('the text under one id is never taken for the record of another', async (t) => {
  const { database, reader, record, id } = await setUp()
  const other = newRecord()
  await reader.create(other)
  await Promise.all([readTwice(reader, id), readTwice(reader, other.id)])
  database.put(defaultScope, other.id, writeRecord(record))
  t.is(await reader.read(other.id), undefined)
})

test('an update after a read from memory compares the newest token of the backend', async (t) => {
  const { database, reader, record, id } = await setUp({ tokens: true })
  await readTwice(reader, id)
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
    (reader, seen) => reader.update('save a session', seen, (record) => ({ ...record, moved: true, data: {} })),
    // A read beside the end finds the record once more.
    (reader, { id }) => Promise.all([reader.destroy(id), reader.read(id)])
  ]
  for (const end of ends) {
    const { reader, id } = await setUp()
    const known = new WeakRef(await readTwice(reader, id))
    t.is(await reader.read(id), known.deref())
    await end(reader, known.deref()!)
    t.true(await isCollected(known))
  }
})

test('a read that is answered only after the session has ended does not keep its data', async (t) => {
  const database = new TextDatabase()
  const gates: (() => void)[] = []
  let isHeld = false
  const store = database.store({
    backend: (scope) => {
      const backend = database.backend(scope)
      const get = async (id: string) => {
        const found = await backend.get(id)
        if (isHeld) await new Promise<void>((resolve) => gates.push(resolve))
        return found
      }
      return { ...backend, get }
    }
  })
  const reader = readerOf(store)
  const record = newRecord()
  await store.create(record.id, record)
  const seen = (await reader.read(record.id))!
  // A function of its own, so that nothing here refers to the record.
  const readLate = async (): Promise<WeakRef<SessionRecord>> => {
    isHeld = true
    const late = reader.read(record.id)
    await until('the read is held', () => gates.length === 1)
    isHeld = false
    t.is(await reader.update('save a session', seen, () => null), null)
    gates[0]!()
    return new WeakRef((await late)!)
  }
  t.true(await isCollected(await readLate()))
})

test('the data of a session that was found expired does not stay in memory', async (t) => {
  let now = Date.now()
  const store = new TextDatabase().store().scope!({ ...defaultScope, now: () => now })
  const reader = readerOf(store)
  const record = newRecord({ expires: now + minute })
  await store.create(record.id, record)
  const known = new WeakRef(await readTwice(reader, record.id))
  now += minute
  t.is(await reader.read(record.id), undefined)
  t.true(await isCollected(known))
})

test('of ten thousand sessions that are read in turn, those that fit are known, and none is kept at its first read', (t) => {
  const known = new KnownRecords()
  const records = Array.from({ length: 10_000 }, (_, index) => newRecord({ rev: 1 + (index % 3) }))
  const countKnown = (among: readonly SessionRecord[]): number => among.filter((record) => known.find(record.id, longText(record))).length
  for (const record of records) known.note(record.id, longText(record), record)
  t.is(countKnown(records), 0)
  for (const record of records) known.note(record.id, longText(record), record)
  // Half of two million characters, in texts of about 800.
  t.true(countKnown(records.slice(-1000)) > 800)
  t.true(countKnown(records) < 3000)
})

test('known records are bounded by the length of their texts', (t) => {
  const known = new KnownRecords()
  const text = 'x'.repeat(2 ** 16)
  const record = newRecord()
  const ids = Array.from({ length: 100 }, () => newRecord().id)
  const note = (id: string, noted: string): void => [1, 2].forEach(() => known.note(id, noted, record))
  for (const id of ids) note(id, text)
  const kept = ids.filter((id) => known.find(id, text))
  t.true(kept.length >= 16 && kept.length <= 32, `${kept.length} texts of 64 Ki characters`)
  const longest = 'x'.repeat(2 ** 17 + 1)
  note(ids[0]!, longest)
  t.is(known.find(ids[0]!, longest), undefined)
})

function longText(record: SessionRecord): string {
  return writeRecord({ ...record, data: { text: 'x'.repeat(600) } })
}
