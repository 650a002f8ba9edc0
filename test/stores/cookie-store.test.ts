import test from 'ava'
import { graceAfterDeadline } from '../../src/store/index.js'
import { writeRecord } from '../../src/record/index.js'
import { cookieStore, isCookieStore, type CarriedStore } from '../../src/stores/cookie.js'
import { recordEvents } from '../support/events.js'
import { count, newRecord } from '../store/new-record.js'

// The stories of requests are in test/stories/cookie-store.test.ts. This is the store of one request.

const scope = { now: Date.now, largest: 8192 }
// Without encryption, the sid does not matter.
const sid = 'A'.repeat(43)

/** The store of the next request, whose cookie carries what this request's store leaves. */
function next(store: CarriedStore, id: string, now = Date.now): CarriedStore {
  return cookieStore().carry([{ sid, id, payload: store.payload(id, sid) }], { ...scope, now })
}

test('the cookie carries the record from request to request', async (t) => {
  const record = newRecord({ owner: 'momo', data: { text: 'aé漢🙂' } })
  const first = cookieStore().carry([], scope)
  t.is(first.read(record.id), undefined)
  t.true(first.create(record.id, record))
  const second = next(first, record.id)
  t.deepEqual(second.read(record.id), record)
  const written = await second.update(record.id, count)
  t.like(written, { rev: 2, data: { count: 1 } })
  t.not(written?.write, record.write)
  const third = next(second, record.id)
  t.deepEqual(third.read(record.id), written ?? undefined)
  t.deepEqual(third.destroy(record.id), written ?? undefined)
  t.is(third.destroy(record.id), undefined)
  t.is(next(third, record.id).read(record.id), undefined)
})

test('an update creates no record, removes one with null, and leaves it as it was when the recipe throws', (t) => {
  const store = cookieStore().carry([], scope)
  const record = newRecord()
  t.is(store.update(record.id, count), undefined)
  void store.create(record.id, record)
  const mistake = new Error('a recipe')
  const failing = () => {
    throw mistake
  }
  t.is(t.throws(() => void store.update(record.id, failing)), mistake)
  t.is(store.read(record.id), record)
  t.is(store.update(record.id, () => null), null)
  t.is(store.read(record.id), undefined)
  t.is(store.payload(record.id, sid), '')
})

test('a record is read until its deadline, and updated and removed for a minute more', (t) => {
  const record = newRecord()
  const store = cookieStore().carry([], scope)
  void store.create(record.id, record)
  const at = (time: number): CarriedStore => next(store, record.id, () => time)
  t.deepEqual(at(record.expires - 1).read(record.id), record)
  t.is(at(record.expires).read(record.id), undefined)
  t.like(at(record.expires + graceAfterDeadline - 1).update(record.id, count), { rev: 2 })
  t.is(at(record.expires + graceAfterDeadline).update(record.id, count), undefined)
  t.is(at(record.expires + graceAfterDeadline).destroy(record.id), undefined)
})

test('a cookie that carries no record of its id is no session and is reported', (t) => {
  const events = recordEvents(t)
  const record = newRecord()
  const large = newRecord({ id: record.id, data: { text: 'x'.repeat(8192) } })
  const texts = ['', '{', 'null', writeRecord(newRecord()), writeRecord({ ...record, rev: 0 }), writeRecord(large)]
  for (const text of texts) {
    const store = cookieStore().carry([{ sid, id: record.id, payload: Buffer.from(text).toString('base64url') }], scope)
    t.is(store.read(record.id), undefined, text.slice(0, 100))
    t.is(events.splice(0).filter((event) => event.type === 'corrupt' && event.id === record.id).length, 1, text.slice(0, 100))
  }
})

test('of two cookies each carries its own record', (t) => {
  const records = [newRecord(), newRecord()]
  const carried = records.map((record) => ({ sid, id: record.id, payload: Buffer.from(writeRecord(record)).toString('base64url') }))
  const store = cookieStore().carry([...carried, { sid, id: newRecord().id, payload: undefined }], scope)
  for (const record of records) t.deepEqual(store.read(record.id), record)
})

test('isCookieStore() is true only for a cookie store', (t) => {
  t.true(isCookieStore(cookieStore()))
  for (const other of [undefined, null, {}, cookieStore().carry([], scope), { carry: 1 }]) t.false(isCookieStore(other))
})
