import test from 'ava'
import { decode, encode, readRecord, writeRecord, type Json, type SessionRecord } from '../../src/record/index.js'

const id = 'a'.repeat(64)

/** The text of a record whose data has the text under the key `x`. */
function textWith(value: string): string {
  const record: SessionRecord = { rev: 1, write: 'w', id, created: 1, used: 1, expires: 2, permanent: false, data: { x: 0 } }
  return writeRecord(record).replace('{"x":0}', `{"x":${value}}`)
}

function nested(depth: number, open: string, close: string, inner = '1'): string {
  return open.repeat(depth) + inner + close.repeat(depth)
}

const corrupt: readonly [what: string, value: string, reason: RegExp][] = [
  ['a number that is read as Infinity', '1e400', /number that is too large/],
  ['such a number deep inside', `[[{"a":[-1E+999]}]]`, /number that is too large/],
  ['a number of 400 digits', '9'.repeat(400), /number that is too large/],
  ['10 000 nested arrays', nested(10_000, '[', ']'), /nested too deep/],
  ['5 000 nested maps', nested(5_000, '{"$map":[["k",', ']]}'), /nested too deep/],
  ['200 000 nested objects', nested(200_000, '{"a":', '}'), /nested too deep/]
]

for (const [what, value, reason] of corrupt) {
  test(`a stored text with ${what} is corrupt`, (t) => {
    const reading = readRecord(textWith(value), id)
    t.regex('corrupt' in reading ? reading.corrupt : '', reason)
  })
}

test('every value that can be written can be read, even at the greatest depth', (t) => {
  let array: unknown = 1
  let map: unknown = 1
  for (let depth = 0; depth < 500; depth++) array = [array]
  // A map counts twice: for itself and for its pairs.
  for (let depth = 0; depth < 250; depth++) map = new Map([['k', map]])
  for (const value of [array, map, 1.7e308, '1e400', 'x'.repeat(5000)]) {
    const json = encode('x', value)
    const reading = readRecord(textWith(JSON.stringify(json)), id)
    t.true('record' in reading)
    if ('record' in reading) t.deepEqual(decode(reading.record.data['x']!), value)
  }
})

/** The longest that reading a record may hold the event loop, in milliseconds. */
const longest = 20

/**
 * How long the work takes the main thread at most, in milliseconds. On a busy machine the time that passes is longer, because others have the CPU
 * meanwhile. The CPU time of the process is longer too, because it includes the threads that collect garbage. So the lesser of the two counts, in the best of
 * many runs: most of them also collect the garbage of those before. One that is quick enough ends them.
 */
function leastTime(work: () => void): number {
  let least = Infinity
  for (let run = 0; run < 400 && least >= longest; run++) {
    const [began, before] = [performance.now(), process.cpuUsage()]
    work()
    const { user, system } = process.cpuUsage(before)
    least = Math.min(least, (user + system) / 1000, performance.now() - began)
  }
  return least
}

/** The largest text that is parsed with the default `maxBytes`: twice 64 KiB. */
const largest = 2 * 64 * 1024 - 300

const large: readonly [what: string, value: string][] = [
  ['small objects', `[${Array.from({ length: largest / 3 }, () => '{}').join()}]`],
  ['objects with a key', `[${Array.from({ length: largest / 8 }, () => '{"a":1}').join()}]`],
  ['dates', `[${Array.from({ length: largest / 37 }, () => '{"$date":"2026-01-01T00:00:00.000Z"}').join()}]`],
  ['keys', `{${Array.from({ length: largest / 11 }, (_, at) => `"k${at}":1`).join()}}`],
  ['integer-like keys', `{${Array.from({ length: largest / 10 }, (_, at) => `"${at * 7}":1`).join()}}`],
  ['sparse integer-like keys', `{${Array.from({ length: largest / 16 }, (_, at) => `"${at * 300_001}":1`).join()}}`],
  ['one bigint', `{"$bigint":"${'9'.repeat(largest - 20)}"}`],
  ['nested arrays', `[${Array.from({ length: largest / 201 }, () => nested(100, '[', ']', '')).join()}]`],
  ['maps', `[${Array.from({ length: largest / 21 }, () => '{"$map":[["k",[1]]]}').join()}]`]
]

for (const [what, value] of large) {
  test.serial(`reading a record that is full of ${what} does not hold the event loop for 20 ms`, (t) => {
    const text = textWith(value)
    t.true(text.length <= 2 * 64 * 1024, String(text.length))
    const time = leastTime(() => {
      const reading = readRecord(text, id, 2 * 64 * 1024)
      if ('record' in reading) decode(reading.record.data['x'] as Json)
    })
    t.true(time < longest, `${time} ms`)
  })
}

test.serial('what somebody has added to Object.prototype makes no record corrupt', (t) => {
  const record: SessionRecord = { rev: 1, write: 'w', id, created: 1, used: 1, expires: 2, permanent: false, data: { user: 'momo', cart: [{ sku: 'A1' }] } }
  const polluted = Object.prototype as unknown as Record<string, unknown>
  for (const value of [{ dark: true }, Infinity]) {
    polluted['options'] = value
    try {
      t.false('corrupt' in readRecord(writeRecord(record), id))
    } finally {
      delete polluted['options']
    }
  }
})
