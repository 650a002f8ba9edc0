import test from 'ava'
import { encodePrefix, FileNames } from '../../../src/stores/file/file-names.js'

const id = '0123456789abcdef'.repeat(4)
const from = { deadline: 1_766_311_200_000, code: 123_456_789_012 }
const farthest = { deadline: 8.64e15, code: 2 ** 40 - 1 }
const unique = '3f2b7c1e-8a44-4d0e-9d2c-1b5f0a9e7c11'

const encodings: readonly [string, string][] = [
  ['session:', 'session%3a'],
  ['', ''],
  ['Session:', '%53ession%3a'],
  ['../../etc/', '%2e%2e%2f%2e%2e%2fetc%2f'],
  ['con.', 'con%2e'],
  ['%3a', '%253a'],
  ['a<b>|"*?\\\0~ ', 'a%3cb%3e%7c%22%2a%3f%5c%00%7e%20'],
  ['é', '%c3%a9']
]
for (const [prefix, encoded] of encodings) {
  test(`the prefix ${JSON.stringify(prefix)} becomes ${encoded || 'nothing'}`, (t) => {
    t.is(encodePrefix(prefix), encoded)
  })
}

test('different prefixes never share a name, also where a file system takes A for a', (t) => {
  const prefixes = ['a', 'A', '%61', '%41', 'é', 'e\u0301', 'x'.repeat(300), 'X'.repeat(300), '\ud800', '\ud801', '\ufffd', '%%', ':'.repeat(60), ':'.repeat(61)]
  t.is(new Set(prefixes.map((prefix) => encodePrefix(prefix).toLowerCase())).size, prefixes.length)
})

test('no prefix makes a name longer than file systems allow', (t) => {
  for (const prefix of [':'.repeat(40), ':'.repeat(1000), '\ud800']) {
    const names = new FileNames('/d', prefix)
    for (const path of [names.record(id), names.temporary(id, unique), names.step(id, farthest, farthest), names.claim(id, farthest, 999_999_999), names.aside(id, unique)]) {
      t.true(path.length - '/d/'.length <= 255)
    }
  }
})

test('a name is read back as the file for which it was made, by its own prefix only', (t) => {
  const prefixes = ['', 'a', 'ab', 'session:', 'session:a']
  for (const prefix of prefixes) {
    const names = new FileNames('/d', prefix)
    const made = [
      [names.record(id), { kind: 'record', id }],
      [names.temporary(id, unique), { kind: 'temporary', path: names.temporary(id, unique) }],
      [names.step(id, from, farthest), { kind: 'temporary', path: names.step(id, from, farthest) }],
      [names.claim(id, from, 2), { kind: 'claim', id, from, generation: 2 }],
      [names.claim(id, farthest, 0), { kind: 'claim', id, from: farthest, generation: 0 }],
      [names.aside(id, unique), undefined],
      [names.lock(id), undefined],
      [names.sweepLock, undefined],
      [names.owners, undefined]
    ] as const
    for (const [path, expected] of made) {
      for (const other of prefixes) {
        t.deepEqual(new FileNames('/d', other).parse(path.slice('/d/'.length)), other === prefix ? expected : undefined)
      }
    }
  }
})

const foreign = ['', '.', '..', 'x.json', `${id}.json.bak`, `${id}.JSON`, `${id}0.json`, `${id.toUpperCase()}.json`, `x${id}.json`, `${id}.tmp`, `${id}.X.tmp`, `${unique}.tmp`, `${id}.1.claim`, `${id}.1-0.claim`, `${id}.1-2-${unique}`]
for (const name of foreign) {
  test(`${JSON.stringify(name)} is not a file of ours`, (t) => {
    t.is(new FileNames('/d', '').parse(name), undefined)
  })
}

test("an owner's text never becomes part of a path, and an entry is read back by its own prefix only", (t) => {
  const prefixes = ['', 'a', 'ab', 'session:', 'session:a']
  for (const prefix of prefixes) {
    const names = new FileNames('/d', prefix)
    for (const owner of ['../../etc', '/', '17', 'a'.repeat(256), '\0']) {
      const dir = names.owner(owner)
      t.regex(dir, /^\/d\/owners\/[0-9a-f]{64}$/)
      const name = names.ownerEntry(dir, id).slice(dir.length + 1)
      for (const other of prefixes) t.is(new FileNames('/d', other).parseOwnerEntry(name), other === prefix ? id : undefined)
    }
  }
  for (const name of ['', '.', `${id}0`, id.slice(1), id.toUpperCase()]) t.is(new FileNames('/d', '').parseOwnerEntry(name), undefined)
})
