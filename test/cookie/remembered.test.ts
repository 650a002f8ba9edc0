import test from 'ava'
import * as fc from 'fast-check'
import Keygrip from 'keygrip'
import { mostRemembered } from '../../src/cookie/token.js'
import { collectGarbage } from '../support/garbage.js'
import { cookieOf, forged, issue, newer, secret } from './subjects.js'

test('a verified cookie is remembered: the next request gets the same token', (t) => {
  const cookie = cookieOf()
  const header = issue(cookie)
  const [token] = cookie.read(header, [secret])
  t.truthy(token)
  t.is(cookie.read(header, [secret])[0], token)
  t.is(cookie.read(`other=1; ${header.replace(/=(.*)/, '="$1"')} ; more=2`, [secret])[0], token)
})

test('a cookie that does not verify is not remembered', (t) => {
  const cookie = cookieOf()
  fc.assert(
    fc.property(forged, (value) => {
      t.deepEqual(cookie.read(`session=${value}`, [secret]), [])
      t.deepEqual(cookie.read(`session=${value}`, [secret]), [])
    })
  )
})

test('cookies that were used recently are remembered, and the longest unused are forgotten', (t) => {
  const cookie = cookieOf()
  const headers = Array.from({ length: mostRemembered + 1 }, () => issue(cookie))
  const tokens = headers.map((header) => cookie.read(header, [secret])[0])
  t.is(cookie.read(headers.at(-1), [secret])[0], tokens.at(-1))
  t.not(cookie.read(headers[0], [secret])[0], tokens[0])
})

const changes: readonly [what: string, change: (keys: (string | Buffer)[]) => unknown[], expected: 'fresh' | 'stale' | 'worthless'][] = [
  ['another list', () => [newer], 'worthless'],
  ['another list with the older key', () => [newer, secret], 'stale'],
  ['a key added in place', (keys) => (keys.unshift(newer), keys), 'stale'],
  ['a key replaced in place', (keys) => ((keys[0] = newer), keys), 'worthless'],
  ['a key removed in place', (keys) => (keys.shift(), keys.push(newer), keys), 'worthless'],
  ['the same keys in another list', (keys) => [...keys], 'fresh'],
  ['the same key as a string', () => [secret], 'fresh'],
  ['the same key as another Buffer', () => [Buffer.from(secret)], 'fresh'],
  ['the bytes of a key overwritten in place', (keys) => ((keys[0] as Buffer).fill('x'), keys), 'worthless'],
  ['one bit of a key changed in place', (keys) => (((keys[0] as Buffer)[31]! ^= 1), keys), 'worthless'],
  ['a ready Keygrip of the same key', () => new Keygrip([secret], 'sha256') as unknown as unknown[], 'fresh'],
  ['a ready Keygrip of another key', () => new Keygrip([newer], 'sha256') as unknown as unknown[], 'worthless']
]
for (const [what, change, expected] of changes) {
  test(`after a change of the keys (${what}), a remembered cookie is ${expected}`, (t) => {
    for (const key of [secret, Buffer.from(secret)]) {
      if (typeof key === 'string' && what.includes('in place') && what.includes('of a key')) continue
      const cookie = cookieOf()
      const keys = [key]
      const header = issue(cookie, keys)
      t.is(cookie.read(header, keys)[0]?.stale, false)
      const rotated = change(keys)
      const [token] = cookie.read(header, rotated)
      t.is(token ? (token.stale ? 'stale' : 'fresh') : 'worthless', expected)
    }
  })
}

test('even a request without a cookie clears the remembered cookies when the keys have changed', (t) => {
  const cookie = cookieOf()
  const header = issue(cookie)
  const [token] = cookie.read(header, [secret])
  cookie.read(undefined, [newer])
  t.not(cookie.read(header, [secret])[0], token)
})

test('over any sequence of key lists, a cookie is accepted exactly while its key is among them', (t) => {
  const names = ['first', 'second', 'third'].map((name) => `${name}${secret}`)
  const step = fc.record({ keys: fc.subarray(names, { minLength: 1 }), which: fc.nat({ max: 2 }) })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
      const cookie = cookieOf()
      const headers = names.map((name) => issue(cookie, [name]))
      for (const { keys, which } of steps) {
        const at = keys.indexOf(names[which]!)
        t.is(cookie.read(headers[which], keys)[0]?.stale, at === -1 ? undefined : at > 0)
      }
    })
  )
})

test('with a ready Keygrip, whose keys may change unseen, and with records in the cookie nothing is remembered', (t) => {
  const keys = [secret]
  const keygrip = new Keygrip(keys, 'sha256')
  const cookie = cookieOf()
  const header = issue(cookie, keygrip)
  t.is(cookie.read(header, keygrip).length, 1)
  keys[0] = newer
  t.deepEqual(cookie.read(header, keygrip), [])
  const carrying = cookieOf({ carriesRecord: true })
  const carried = issue(carrying, [secret], 'YWJj')
  t.not(carrying.read(carried, [secret])[0], carrying.read(carried, [secret])[0])
})

/** The memory of what is no garbage, in bytes. */
function heapUsed(): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}

test('a remembered cookie does not keep the header alive in which it came', (t) => {
  const cookie = cookieOf()
  const count = 2000
  const filler = 'x'.repeat(14_000)
  cookie.read(issue(cookie), [secret])
  const before = heapUsed()
  for (let n = 0; n < count; n++) {
    // As Node makes it: one text, not a rope of others.
    const header = Buffer.from(`theme=${n}${filler}; ${issue(cookie)}; more=${filler.slice(0, 100)}`, 'latin1').toString('latin1')
    t.is(cookie.read(header, [secret]).length, 1)
  }
  const each = (heapUsed() - before) / count
  t.log(`${Math.round(each)} bytes for each remembered cookie`)
  t.true(each < 2000, `${each} bytes for each cookie, of a header of 14 KB`)
  t.is(cookie.read(issue(cookie), [secret]).length, 1)
})
