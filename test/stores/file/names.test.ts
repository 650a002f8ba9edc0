import test from 'ava'
import { encodePrefix, namesOf } from '../../../src/stores/file/names.js'

const id = '0123456789abcdef'.repeat(4)
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
    const names = namesOf('/d', prefix)
    for (const path of [names.record(id), names.temporary(id, Number.MAX_SAFE_INTEGER, unique), names.claim(id, Number.MAX_SAFE_INTEGER, 999_999_999), names.aside(id, unique)]) {
      t.true(path.length - '/d/'.length <= 255)
    }
  }
})

test('a name is read back as what it was made from, by its own prefix only', (t) => {
  const prefixes = ['', 'a', 'ab', 'session:', 'session:a']
  for (const prefix of prefixes) {
    const names = namesOf('/d', prefix)
    const made = [
      [names.record(id), { kind: 'record', id }],
      [names.temporary(id, 7, unique), { kind: 'passing', path: names.temporary(id, 7, unique) }],
      [names.owner(unique), { kind: 'passing', path: names.owner(unique) }],
      [names.claim(id, 7, 2), { kind: 'claim', id, rev: 7, generation: 2 }],
      [names.aside(id, unique), undefined],
      [names.lock(id), undefined],
      [names.sweepLock, undefined]
    ] as const
    for (const [path, expected] of made) {
      for (const other of prefixes) {
        t.deepEqual(namesOf('/d', other).parse(path.slice('/d/'.length)), other === prefix ? expected : undefined)
      }
    }
  }
})

const foreign = ['', '.', '..', 'x.json', `${id}.json.bak`, `${id}.JSON`, `${id}0.json`, `${id.toUpperCase()}.json`, `x${id}.json`, `${id}.tmp`, `${id}.x.tmp`, `${id}.1.claim`]
for (const name of foreign) {
  test(`${JSON.stringify(name)} is not a file of ours`, (t) => {
    t.is(namesOf('/d', '').parse(name), undefined)
  })
}
