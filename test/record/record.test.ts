import test from 'ava'
import * as fc from 'fast-check'
import { SessionError } from '../../src/errors.js'
import { flawOf, isOwner, readRecord, writeRecord, type SessionRecord } from '../../src/record/index.js'
import { records } from './arbitrary-record.js'

const id = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'
const other = id.replace('9', '8')
const record: SessionRecord = {
  rev: 7, write: 'kT3v9a', id, created: 1763632800000, used: 1763633100000, expires: 1766311200000, permanent: false, data: { user: 'momo' }
}

/** The record's text with fields replaced; `undefined` leaves one out. */
function textWith(fields: object): string {
  return JSON.stringify({ ...record, ...fields })
}

test('a record is one line of JSON that starts with rev and write', (t) => {
  const { rev, write, ...rest } = record
  const expected =
    `{"rev":7,"write":"kT3v9a","id":"${id}","created":1763632800000,"used":1763633100000,"expires":1766311200000,"permanent":false,"data":{"user":"momo"}}`
  for (const each of [record, { ...rest, rev, write }, { ...rest, write, rev }, { write, rev, ...rest }, { rev, ...rest, write }]) t.is(writeRecord(each), expected)
  t.is(writeRecord({ ...record, data: { text: 'a\nb\u2028' } }).includes('\n'), false)
})

test('a record is written as it is at that moment', (t) => {
  const changed = { ...record, data: { user: 'momo' } }
  for (const change of [{ tenant: 'a' }, { data: { user: 'secret' } }, { expires: 1 }, { lifetime: undefined }]) {
    Object.assign(changed, change)
    t.is(writeRecord(changed), JSON.stringify(changed))
    changed.data.user += ' in place'
    t.is(writeRecord(changed), JSON.stringify(changed))
  }
})

test('a record is read back as it was written, with fields that are not known', (t) => {
  fc.assert(
    fc.property(records(id), (each) => {
      t.deepEqual(readRecord(writeRecord(each), id), { record: JSON.parse(JSON.stringify(each)) as SessionRecord })
      t.regex(writeRecord(each), /^\{"rev":\d+,"write":"/)
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
  [textWith({ write: undefined }), 'write is not the mark of a write'],
  [textWith({ write: '' }), 'write is not the mark of a write'],
  [textWith({ write: 7 }), 'write is not the mark of a write'],
  [textWith({ created: undefined }), 'created is not a time'],
  [textWith({ created: -1 }), 'created is not a time'],
  [textWith({ created: '2026-01-01' }), 'created is not a time'],
  [textWith({ used: undefined }), 'used is not a time'],
  [textWith({ used: 'now' }), 'used is not a time'],
  [textWith({ expires: null }), 'expires is not a time'],
  [textWith({ expires: 9e15 }), 'expires is not a time'],
  [textWith({ expires: '' }).replace('""', '1e999'), 'expires is not a time'],
  [textWith({ permanent: 0 }), 'permanent is not a boolean'],
  [textWith({ lifetime: 0 }), 'lifetime is not a duration'],
  [textWith({ lifetime: '1h' }), 'lifetime is not a duration'],
  [textWith({ owner: '' }), 'owner is not a string of 1 to 256 characters'],
  [textWith({ owner: null }), 'owner is not a string of 1 to 256 characters'],
  [textWith({ owner: 17 }), 'owner is not a string of 1 to 256 characters'],
  [textWith({ owner: 'x'.repeat(257) }), 'owner is not a string of 1 to 256 characters'],
  [textWith({ moved: false }), 'moved is not true'],
  [textWith({ moved: 1 }), 'moved is not true'],
  [textWith({ moved: true, movedTo: 1 }), 'movedTo is not an id'],
  [textWith({ moved: true, movedTo: '../another' }), 'movedTo is not an id'],
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
  t.is(error?.message, 'a stored session has format 2, but this version of koa-keepsake reads only format 1: upgrade koa-keepsake on this server')
  t.deepEqual(readRecord(textWith({ version: 1 }), id), { record: { ...record, version: 1 } })
})

test('a record that was damaged anywhere is corrupt or a record of that very id, and never throws', (t) => {
  const junk = fc.constantFrom('', '\0', '"', '{', '}', ',', ':', '0', '9', 'e', '-', 'null', '[', '\\', '\ud800', ' ', 'true')
  fc.assert(
    fc.property(records(id), fc.nat(), fc.nat({ max: 12 }), junk, (each, place, length, replacement) => {
      const text = writeRecord(each)
      const start = place % text.length
      const reading = readRecord(text.slice(0, start) + replacement + text.slice(start + length), id)
      if ('corrupt' in reading) return t.is(typeof reading.corrupt, 'string')
      const { rev, write, created, used, expires, permanent, data } = reading.record
      t.is(reading.record.id, id)
      t.true(Number.isSafeInteger(rev) && rev >= 1)
      t.true(typeof write === 'string' && write !== '')
      for (const time of [created, used, expires]) t.true(time >= 0 && !Number.isNaN(new Date(time).getTime()))
      t.is(typeof permanent, 'boolean')
      return t.true(typeof data === 'object' && data !== null && !Array.isArray(data))
    }),
    { numRuns: 3000 }
  )
})

test('with a field of any other type a record is corrupt or whole, and never throws', (t) => {
  const names = fc.constantFrom('rev', 'write', 'id', 'created', 'used', 'expires', 'permanent', 'lifetime', 'owner', 'moved', 'data', 'other')
  fc.assert(
    fc.property(names, fc.jsonValue(), (name, value) => {
      const reading = readRecord(textWith({ [name]: value }), id)
      t.true('corrupt' in reading || reading.record.id === id)
    })
  )
})

test('a record is never taken for that of another id', (t) => {
  fc.assert(fc.property(records(id), (each) => t.deepEqual(readRecord(writeRecord(each), other), { corrupt: 'it names another id' })))
})

test('a text over the limit is corrupt and is not parsed', (t) => {
  const whole = { ...record, data: { text: 'aé漢🙂\\n' } }
  const text = writeRecord(whole)
  const bytes = Buffer.byteLength(text)
  t.deepEqual(readRecord(text, id, bytes), { record: whole })
  t.deepEqual(readRecord(text, id, bytes - 1), { corrupt: `it is larger than ${bytes - 1} bytes` })
  t.deepEqual(readRecord('漢'.repeat(100), id, 299), { corrupt: 'it is larger than 299 bytes' })
  t.deepEqual(readRecord('漢'.repeat(100), id, 300), { corrupt: 'it is not JSON' })
})

test('the size of a text is counted in bytes', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.nat({ max: 200 }), (text, limit) => {
      const reading = readRecord(text, id, limit)
      t.is('corrupt' in reading && reading.corrupt.startsWith('it is larger'), Buffer.byteLength(text) > limit)
    })
  )
})

test('a value that a store returns is checked like a text', (t) => {
  t.is(flawOf(record, id), undefined)
  t.is(flawOf(undefined, id), 'it is not an object')
  t.is(flawOf(record, other), 'it names another id')
  t.is(flawOf({ ...record, expires: Infinity }, id), 'expires is not a time')
  t.is(flawOf({ ...record, created: NaN }, id), 'created is not a time')
  t.throws(() => flawOf({ ...record, version: 2 }, id), { code: 'ERR_SESSION_STORE' })
})

test('an owner is a string of 1 to 256 characters', (t) => {
  for (const owner of ['1', 'momo@example.com', '漢字', ' ', 'x'.repeat(256)]) t.true(isOwner(owner), owner)
  for (const owner of ['', 'x'.repeat(257), 17, null, undefined, ['a'], new String('a')]) t.false(isOwner(owner))
})
