import test from 'ava'
import * as fc from 'fast-check'
import Keygrip from 'keygrip'
import Koa from 'koa'
import { assertKeys, type Signer } from '../../src/cookie/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { cookieOf, issue, newer, secret } from './subjects.js'

const absent: readonly [what: string, keys: unknown][] = [
  ['no keys', undefined], ['null', null], ['an empty list', []], ['an empty string', ['']], ['an empty Buffer', [Buffer.alloc(0)]],
  ['one empty of two', [secret, '']], ['undefined in the list', [undefined]], ['a hole in the list', Object.assign([], { length: 1 })]
]
for (const [what, keys] of absent) {
  test(`${what}: an error that says how to set keys, in the option and in a request`, (t) => {
    t.throws(() => assertKeys(keys, 'session(options)'), { code: 'ERR_SESSION_KEYS', message: /^session\(options\): .*app\.keys = \[/ })
    t.throws(() => cookieOf().read(undefined, keys), { code: 'ERR_SESSION_KEYS', message: /app\.keys = \[/ })
  })
}

const otherKinds: readonly [what: string, keys: unknown][] = [
  ['a string', 'my-text'], ['a number', 1], ['true', true], ['an object', {}], ['a list of numbers', [1]], ['a list with an object', [secret, {}]],
  ['a function', () => secret], ['an object that cannot verify', { sign: () => '' }]
]
for (const [what, keys] of otherKinds) {
  test(`keys that are ${what} are refused, and not quoted`, (t) => {
    const error = t.throws(() => assertKeys(keys, 'session(options)'), { instanceOf: TypeError, message: /keys must be/ })
    t.false(error.message.includes('my-text') || error.message.includes(secret))
  })
}

test('strings and Buffers sign alike, and without signatures no keys are needed', (t) => {
  const cookie = cookieOf()
  t.is(cookie.read(issue(cookie, [secret]), [Buffer.from(secret)]).length, 1)
  t.notThrows(() => cookieOf({ signed: false }).read('session=x', undefined))
})

test('a secret under 32 bytes causes one process warning, which does not quote it', async (t) => {
  const warnings: Error[] = []
  const listener = (warning: Error) => void warnings.push(warning)
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  for (const keys of [['too short, and secret'], [secret, 'too short, too'], [secret]]) cookieOf().read(undefined, keys)
  await new Promise(setImmediate)
  t.is(warnings.length, 1)
  t.is(warnings[0]!.name, 'SessionWarning')
  t.true(warnings[0]!.message.includes('32 bytes'))
  t.false(warnings[0]!.message.includes('too short, and'))
})

const keygrip = new Keygrip([secret], 'sha256')
const sign = (data: string) => keygrip.sign(data)
const index = (data: string, digest: string) => keygrip.index(data, digest)
const bad: readonly [what: string, signer: unknown, flaw: RegExp][] = [
  ['SHA-1, which is the default', new Keygrip([secret]), /SHA-256 digest.*default of Keygrip is SHA-1/],
  ['SHA-512', new Keygrip([secret], 'sha512'), /SHA-256 digest/],
  ['hexadecimal digits', new Keygrip([secret], 'sha256', 'hex'), /SHA-256 digest/],
  ['no text', { sign: () => undefined, index }, /SHA-256 digest/],
  ['a promise', { sign: async (data: string) => sign(data), index }, /SHA-256 digest/],
  ['padding', { sign: (data: string) => `${sign(data)}=`, index }, /SHA-256 digest/],
  ['one digest for everything', { sign: () => 'B'.repeat(43), index: (_: string, digest: string) => (digest === 'B'.repeat(43) ? 0 : -1) }, /unknown digest/],
  ['index() undefined', { sign, index: () => undefined }, /index\(\) does not answer 0/],
  ['index() true', { sign, index: () => true }, /index\(\) does not answer 0/],
  ['index() a promise', { sign, index: async () => 0 }, /index\(\) does not answer 0/],
  ['index() a string', { sign, index: () => '0' }, /index\(\) does not answer 0/],
  ['index() always 0', { sign, index: () => 0 }, /unknown digest/],
  ['index() false for an unknown digest', { sign, index: (data: string, digest: string) => index(data, digest) === 0 ? 0 : false }, /unknown digest/],
  ['index() NaN for an unknown digest', { sign, index: (data: string, digest: string) => index(data, digest) === 0 ? 0 : Number.NaN }, /unknown digest/],
  ['an error', { sign: () => { throw new Error('broken') }, index }, /throws an error/],
  ['a list without keys', new Keygrip([undefined as unknown as string], 'sha256'), /throws an error/],
  ['an empty key', new Keygrip([''], 'sha256'), /one of its keys is empty/],
  ['an empty key among others', new Keygrip([secret, ''], 'sha256'), /one of its keys is empty/]
]
for (const [what, signer, flaw] of bad) {
  test(`a ready Keygrip that cannot sign sessions is refused when it is first seen, with advice: ${what}`, (t) => {
    for (const see of [() => assertKeys(signer, 'session(options)'), () => cookieOf().read(undefined, signer), () => issue(cookieOf(), signer)]) {
      const error = t.throws(see, { code: 'ERR_SESSION_KEYS', message: flaw })
      t.regex(error.message, /new Keygrip\(secrets, 'sha256'\)/)
    }
  })
}

test('a Keygrip over SHA-256, and anything that signs like one, is tried once and accepted', (t) => {
  let calls = 0
  const signer: Signer = { sign: (data) => (calls++, sign(data)), index }
  for (let n = 0; n < 3; n++) t.notThrows(() => assertKeys(signer, 'session(options)'))
  const tried = calls
  const cookie = cookieOf()
  const header = issue(cookie, signer)
  t.is(calls, tried + 1)
  t.deepEqual(cookie.read(header, signer).map(({ stale }) => stale), [false])
  t.deepEqual(cookie.read(issue(cookie, new Keygrip([newer], 'sha256')), new Keygrip([secret, newer], 'sha256')).map(({ stale }) => stale), [true])
})

test('a signer that answers no index after it was tried verifies nothing', (t) => {
  let answer: ((data: string, digest: string) => unknown) | undefined
  const signer = { sign, index: (data: string, digest: string) => (answer ?? index)(data, digest) as number }
  const cookie = cookieOf()
  const header = issue(cookie, signer)
  t.is(cookie.read(header, signer).length, 1)
  for (const wrong of [undefined, true, '0', Number.NaN, -2, 0.5, {}]) {
    answer = () => wrong
    t.deepEqual(cookie.read(header, signer), [])
  }
})

test('a signature that ctx.cookies makes with the same ready Keygrip is never valid for a session', async (t) => {
  const keys = new Keygrip([secret], 'sha256')
  const app = new Koa()
  app.keys = keys
  app.use((ctx) => {
    ctx.cookies.set(String(ctx.query['name']), String(ctx.query['value']), { signed: true })
    ctx.body = 'signed'
  })
  const client = new Client(await startApp(t, app))
  const sid = 'A'.repeat(43)
  // Names that our own purpose could be mistaken for. A line break, which it has, is refused in names and values.
  for (const name of ['session', 'koa-keepsake session session', 'koa-keepsake session\tsession', 'koa-keepsake session', 'koa-keepsake', ' ']) {
    const { setCookie } = await client.get(`/?name=${encodeURIComponent(name)}&value=${sid}`)
    const mac = setCookie.join('\n').match(/\.sig=([^;]*)/)![1]!
    t.is(mac, keys.sign(`${name}=${sid}`))
    t.deepEqual(cookieOf().read(`session=${sid}.${mac}`, keys), [], name)
  }
  app.silent = true
  for (const [name, value] of [['koa-keepsake session\nsession\n', sid], ['x', `\nsession\n${sid}`], ['koa-keepsake session', `\nsession\n${sid}`]] as const) {
    t.is((await client.get(`/?name=${encodeURIComponent(name)}&value=${encodeURIComponent(value)}`)).status, 500)
  }
})

test('no name and value that ctx.cookies can sign form the text that a session signs', (t) => {
  const signed: string[] = []
  const cookie = cookieOf()
  issue(cookie, { sign: (data: string) => (signed.push(data), sign(data)), index })
  // The package refuses control characters but the tab (RFC 7230, field-content).
  t.true(signed.at(-1)!.includes('\n'))
})

test('a signature for one cookie name is never valid for another', (t) => {
  const name = fc.string({ unit: fc.constantFrom(...'ab.-_='.replace('=', '').split('')), minLength: 1, maxLength: 4 })
  fc.assert(
    fc.property(name, name, (one, other) => {
      fc.pre(one !== other)
      const header = issue(cookieOf({ name: one })).replace(`${one}=`, `${other}=`)
      t.deepEqual(cookieOf({ name: other }).read(header, [secret]), [])
    })
  )
})
