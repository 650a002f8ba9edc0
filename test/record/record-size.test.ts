import test from 'ava'
import * as fc from 'fast-check'
import { sizeOver, writeRecord, type SessionRecord } from '../../src/record/index.js'
import { records } from './arbitrary-record.js'

const id = '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'

function sizeOf(record: SessionRecord): number {
  return Buffer.byteLength(writeRecord(record))
}

test('a record is over any limit exactly if its text is', (t) => {
  const offsets = fc.oneof(fc.constantFrom(-1, 0, 1), fc.integer({ min: -5000, max: 5000 }))
  fc.assert(
    fc.property(records(id), offsets, (record, offset) => {
      const size = sizeOf(record)
      const limit = Math.max(0, size + offset)
      t.is(sizeOver(limit, record), size > limit ? size : undefined)
    }),
    { numRuns: 2000 }
  )
})

const marks = Array.from({ length: 8 }, () => 'zzzzzzzzzz-zzzzzzzzzzz').join(' ')
const whole: SessionRecord = {
  rev: Number.MAX_SAFE_INTEGER, write: marks, id, created: 8.64e15, used: 8.64e15, expires: 8.64e15, permanent: false, lifetime: 1e12 / 3,
  owner: '\0'.repeat(256), moved: true, version: 1, data: {}
}

/** Data whose text has as many bytes as such data can have. */
const largest: readonly [string, SessionRecord['data']][] = [
  ['control characters', { text: '\0'.repeat(1000) }],
  ['lone surrogates', { text: '\ud800'.repeat(1000) }],
  ['long numbers', { numbers: Array.from({ length: 500 }, () => -1e-300 / 3) }],
  ['many short keys', Object.fromEntries(Array.from({ length: 500 }, (_, at) => [String(at), at % 2 === 0]))],
  ['empty containers', { all: Array.from({ length: 500 }, (_, at) => (at % 2 === 0 ? {} : [])) }],
  ['nested containers', { a: JSON.parse('['.repeat(400) + ']'.repeat(400)) as [] }],
  ['no data', {}]
]
for (const [name, data] of largest) {
  test(`a record with every field at its longest never counts as small enough if it is not: ${name}`, (t) => {
    const record = { ...whole, data }
    const size = sizeOf(record)
    for (const limit of [size - 1, Math.floor(size / 2), 1, 0]) t.is(sizeOver(limit, record), size)
    t.is(sizeOver(size, record), undefined)
  })
}

test('fields that this version does not know count', (t) => {
  const record = { ...whole, data: {}, future: 'x'.repeat(50_000) } as SessionRecord
  t.is(sizeOver(20_000, record), sizeOf(record))
})
