import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import test from 'ava'
import * as fc from 'fast-check'
import { SessionError } from '../src/errors.js'
import { channelName, type SessionEvent } from '../src/events.js'
import { measureRecord, readLive, readRecord, writeRecord } from '../src/record.js'
import type { SessionRecord } from '../src/store.js'

const id = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
const other = id.replace('9', '8')
const record: SessionRecord = { rev: 7, id, created: 1763632800000, expires: 1766311200000, permanent: false, data: { user: 'momo' } }

/** The record's text with fields replaced; `undefined` leaves one out. */
function textWith(fields: object): string {
  return JSON.stringify({ ...record, ...fields })
}

const records: fc.Arbitrary<SessionRecord> = fc.record(
  {
    rev: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
    id: fc.constant(id),
    created: fc.nat({ max: 8.64e15 }),
    expires: fc.nat({ max: 8.64e15 }),
    permanent: fc.boolean(),
    lifetime: fc.integer({ min: 1, max: 1e12 }),
    data: fc.dictionary(fc.oneof(fc.string(), fc.constantFrom('toJSON', 'rev', 'id', '__proto__')), fc.jsonValue(), { noNullPrototype: true }),
    future: fc.jsonValue()
  },
  { requiredKeys: ['rev', 'id', 'created', 'expires', 'permanent', 'data'], noNullPrototype: true }
) as fc.Arbitrary<SessionRecord>

test('a record is one line of JSON with rev first', (t) => {
  const { rev, ...rest } = record
  const expected = '{"rev":7,"id":"' + id + '","created":1763632800000,"expires":1766311200000,"permanent":false,"data":{"user":"momo"}}'
  t.is(writeRecord({ ...rest, rev }), expected)
  t.is(writeRecord({ ...record, data: { text: 'a\nb\u2028' } }).includes('\n'), false)
})

test('a record that was measured is written as it is when it is written', (t) => {
  const [one, two] = [{ ...record }, { ...record, data: { user: 'kiki' } }]
  t.is(measureRecord(one), Buffer.byteLength(JSON.stringify(one)))
  t.is(writeRecord(one), JSON.stringify(one))
  measureRecord(one)
  measureRecord(two)
  t.is(writeRecord(one), JSON.stringify(one))
  t.is(writeRecord(two), JSON.stringify(two))
  // A store that wraps another, and encrypts or adds something on the way.
  for (const change of [{ tenant: 'a' }, { data: { user: 'secret' } }, { expires: 1 }, { lifetime: undefined }]) {
    const changed = { ...record, lifetime: 5, data: { ...record.data } }
    measureRecord(changed)
    Object.assign(changed, change)
    t.is(writeRecord(changed), JSON.stringify(changed))
    measureRecord(changed)
    changed.data.user = 'in place'
    t.is(writeRecord(changed), JSON.stringify(changed))
    measureRecord(changed)
    delete (changed.data as { user?: unknown }).user
    t.is(writeRecord(changed), JSON.stringify(changed))
  }
})

test('a record is read back as it was written, with fields that are not known', (t) => {
  fc.assert(
    fc.property(records, (each) => {
      t.deepEqual(readRecord(writeRecord(each), id), { record: JSON.parse(JSON.stringify(each)) as SessionRecord })
    })
  )
})

const corrupt: readonly [string, string][] = [
  ['', 'it is empty'],
  ['\0\0\0\0', 'it is not JSON'],
  [writeRecord(record).slice(0, 80), 'it is not JSON'],
  [`${writeRecord(record)}}`, 'it is not JSON'],
  [`\uFEFF${writeRecord(record)}`, 'it is not JSON'],
  ['null', 'it is not an object'],
  ['[]', 'it is not an object'],
  ['"text"', 'it is not an object'],
  ['{}', 'it names another id'],
  [textWith({ id: other }), 'it names another id'],
  [textWith({ id: id.toUpperCase() }), 'it names another id'],
  [textWith({ id: [id] }), 'it names another id'],
  [textWith({ rev: undefined }), 'rev is not a positive integer'],
  [textWith({ rev: 0 }), 'rev is not a positive integer'],
  [textWith({ rev: 1.5 }), 'rev is not a positive integer'],
  [textWith({ rev: '7' }), 'rev is not a positive integer'],
  [textWith({ rev: 2 ** 53 }), 'rev is not a positive integer'],
  [textWith({ created: undefined }), 'created is not a time'],
  [textWith({ created: -1 }), 'created is not a time'],
  [textWith({ created: '2026-01-01' }), 'created is not a time'],
  [textWith({ expires: null }), 'expires is not a time'],
  [textWith({ expires: 9e15 }), 'expires is not a time'],
  [textWith({ expires: '' }).replace('""', '1e999'), 'expires is not a time'],
  [textWith({ permanent: 0 }), 'permanent is not a boolean'],
  [textWith({ lifetime: 0 }), 'lifetime is not a duration'],
  [textWith({ lifetime: '1h' }), 'lifetime is not a duration'],
  [textWith({ data: undefined }), 'data is not an object'],
  [textWith({ data: null }), 'data is not an object'],
  [textWith({ data: [] }), 'data is not an object']
]
for (const [text, reason] of corrupt) {
  test(`not a record, because ${reason}: ${JSON.stringify(text.replaceAll(id, '<id>'))}`, (t) => {
    t.deepEqual(readRecord(text, id), { corrupt: reason })
  })
}

test('a newer format is an error, not a missing session', (t) => {
  const error = t.throws(() => readRecord(textWith({ version: 2 }), id), { instanceOf: SessionError })
  t.is(error?.code, 'ERR_SESSION_STORE')
  t.is(error?.message, 'a stored session has format 2, this version reads 1: upgrade koa-keepsake on this server')
  t.deepEqual(readRecord(textWith({ version: 1 }), id), { record: { ...record, version: 1 } as SessionRecord })
})

test('a record that was damaged anywhere is corrupt or a record of that very id, and never throws', (t) => {
  const junk = fc.constantFrom('', '\0', '"', '{', '}', ',', ':', '0', '9', 'e', '-', 'null', '[', '\\', '\ud800', ' ', 'true')
  fc.assert(
    fc.property(records, fc.nat(), fc.nat({ max: 12 }), junk, (each, place, length, replacement) => {
      const text = writeRecord(each)
      const start = place % text.length
      const reading = readRecord(text.slice(0, start) + replacement + text.slice(start + length), id)
      if ('corrupt' in reading) return t.is(typeof reading.corrupt, 'string')
      const { rev, created, expires, permanent, data } = reading.record
      t.is(reading.record.id, id)
      t.true(Number.isSafeInteger(rev) && rev >= 1)
      t.true(created >= 0 && expires >= 0 && !Number.isNaN(new Date(expires).getTime()) && !Number.isNaN(new Date(created).getTime()))
      t.is(typeof permanent, 'boolean')
      return t.true(typeof data === 'object' && data !== null && !Array.isArray(data))
    }),
    { numRuns: 3000 }
  )
})

test('with a field of any other type a record is corrupt or whole, and never throws', (t) => {
  const names = fc.constantFrom('rev', 'id', 'created', 'expires', 'permanent', 'lifetime', 'data', 'other')
  fc.assert(
    fc.property(names, fc.jsonValue(), (name, value) => {
      const reading = readRecord(textWith({ [name]: value }), id)
      t.true('corrupt' in reading || reading.record.id === id)
    })
  )
})

test('a record is never taken for that of another id', (t) => {
  fc.assert(fc.property(records, (each) => t.deepEqual(readRecord(writeRecord(each), other), { corrupt: 'it names another id' })))
})

test.serial('a live record is read, one at its deadline is not and is told', (t) => {
  const events = collect(t)
  const text = writeRecord(record)
  t.deepEqual(readLive(text, id, record.expires - 1), record)
  t.deepEqual(events, [])
  t.is(readLive(text, id, record.expires), undefined)
  t.deepEqual(events.splice(0), [{ type: 'expire', id }])
})

test.serial('a corrupt record is no session and is told with the reason', (t) => {
  const events = collect(t)
  t.is(readLive('{', id, 0), undefined)
  t.is(readLive(writeRecord(record), other, 0), undefined)
  t.deepEqual(events, [
    { type: 'corrupt', id, reason: 'it is not JSON' },
    { type: 'corrupt', id: other, reason: 'it names another id' }
  ])
})

function collect(t: { teardown: (fn: () => void) => void }): SessionEvent[] {
  const events: SessionEvent[] = []
  const listen = (event: unknown) => void events.push(event as SessionEvent)
  subscribe(channelName, listen)
  t.teardown(() => void unsubscribe(channelName, listen))
  return events
}
