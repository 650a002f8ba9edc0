import fs from 'node:fs'
import test, { type ExecutionContext } from 'ava'
import type { SessionRecord } from '../../../src/record/index.js'
import { classOf, hasTimes, inSeconds, parseStateName, stateName, timesOfFile, timesOfRecord, type FileTimes } from '../../../src/stores/file/file-times.js'
import { newRecord, tempDir } from '../../support/files.js'

function record(fields: Partial<SessionRecord>): SessionRecord {
  return newRecord({}, 3_600_000, fields)
}

function withTimes(file: string, times: FileTimes): fs.Stats {
  const { atime, mtime } = inSeconds(times)
  fs.utimesSync(file, atime, mtime)
  return fs.lstatSync(file)
}

test('file times encode revision, write, deadline and class, and no other times look like them', (t) => {
  const file = `${tempDir(t)}/record`
  fs.writeFileSync(file, '')
  const now = Date.now()
  for (const fields of [{ rev: 1, expires: now + 60_001 }, { rev: 4096, expires: now + 3_600_007 }, { rev: 999_999, expires: now + 99_999_999_999 }]) {
    const base = record({ ...fields, write: 'k3v9a0x2-1f' })
    const times = timesOfRecord(base)
    const stats = withTimes(file, times)
    t.deepEqual(timesOfFile(stats), times)
    t.true(hasTimes(stats, times))
    t.is(Math.round(stats.mtimeMs), base.expires)
    const others: Partial<SessionRecord>[] = [
      { rev: base.rev + 1 },
      { rev: base.rev - 1 },
      { expires: base.expires + 1 },
      // After a failover or in a restored copy: the same revision and the same deadline, but another write.
      { write: 'k3v9a0x2-1g' },
      { write: 'k3v9a0x2-1f b71x20aa-9' },
      { owner: '17' },
      { moved: true }
    ]
    for (const other of others) t.false(hasTimes(stats, timesOfRecord({ ...base, ...other })), JSON.stringify(other))
    fs.readFileSync(file)
    t.true(hasTimes(fs.lstatSync(file), times), 'also after it was read')
  }
})

test('file times survive in thousands of states, and no two of them are the same', (t) => {
  const file = `${tempDir(t)}/record`
  fs.writeFileSync(file, '')
  const names = new Set<string>()
  for (let n = 1; n <= 3000; n++) {
    const times = timesOfRecord(record({ rev: n, write: `mark-${n}`, expires: 1_800_000_000_000 + (n % 7), ...(n % 2 ? { owner: 'momo' } : {}) }))
    t.true(hasTimes(withTimes(file, times), times))
    t.deepEqual(parseStateName(stateName(times)), times)
    names.add(stateName(times))
  }
  t.is(names.size, 3000)
})

test('the class of a session is known from its file times', (t) => {
  t.is(classOf(timesOfRecord(record({}))), 0)
  t.is(classOf(timesOfRecord(record({ owner: 'momo' }))), 1)
  t.is(classOf(timesOfRecord(record({ owner: 'momo', moved: true }))), 2)
})

test('times that a copy, an edit or a coarse file system left never look like file times of the store', (t) => {
  const file = `${tempDir(t)}/record`
  fs.writeFileSync(file, '')
  t.is(timesOfFile(fs.lstatSync(file)), undefined, 'fresh')
  for (let round = 0; round < 200; round++) tryWrongTimes(t, file, inSeconds(timesOfRecord(record({ owner: 'momo', write: `w${round}`, expires: Date.now() + round * 997 }))))
})

test('file times are recognised whatever the deadline and the write', (t) => {
  const file = `${tempDir(t)}/record`
  fs.writeFileSync(file, '')
  for (let round = 0; round < 2000; round++) {
    const times = timesOfRecord(record({ write: `w${round}`, expires: Date.now() + round * 99_991 }))
    t.true(hasTimes(withTimes(file, times), times))
  }
})

function tryWrongTimes(t: ExecutionContext, file: string, { atime, mtime }: { atime: number; mtime: number }): void {
  const wrong: readonly [string, number, number][] = [
    ['equal', mtime, mtime],
    ['cut to seconds', Math.floor(atime), Math.floor(mtime)],
    ['cut to milliseconds', Math.floor(atime * 1000) / 1000, mtime],
    ['without the atime, as rsync copies', Date.now() / 1000, mtime],
    ['with an mtime far in the past', atime, 1_000_000],
    ['both in the past', 1000, 1000]
  ]
  for (const [what, wrongAtime, wrongMtime] of wrong) {
    fs.utimesSync(file, wrongAtime, wrongMtime)
    t.is(timesOfFile(fs.lstatSync(file)), undefined, what)
  }
}

test('a deadline that is not a number is refused before a file is written', (t) => {
  t.throws(() => timesOfRecord(record({ expires: Number.NaN })), { instanceOf: RangeError, message: /the deadline of a session is not a number/ })
})
