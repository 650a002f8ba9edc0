import { createHmac } from 'node:crypto'
import test from 'ava'
import Keygrip from 'keygrip'
import type { Context } from 'koa'
import {
  fromExpressSession, fromKoaGenericSession, fromKoaSession, fromKoaSessionMinimal,
  type Bridge, type ExpressSessionBridgeOptions, type KoaGenericSessionBridgeOptions, type KoaSessionBridgeOptions, type KoaSessionMinimalBridgeOptions
} from '../../src/migrating/index.js'
import { recordEvents } from '../support/events.js'
import { createClock, day, secret, startStory, type Options } from '../support/story.js'
import type { Cleanup } from '../support/app.js'

// No session is made of a cookie that does not verify. Cookies that verify are made by the old libraries in moved-applications.test.ts.

const now = createClock().now()
const until = new Date(now + 30 * day)
const oldSecret = 'the secret of the old application'
const routes = { '/': (ctx: Context) => String(ctx.session['user']) }

/** What a client with that `Cookie` header sees: `undefined` where it is nobody. */
async function userOf(t: Cleanup, migrate: Bridge, cookie: string, options: Options = {}): Promise<string> {
  const { client } = await startStory(t, routes, { keys: [secret], migrate, ...options })
  const { status, text } = await client.get('/', { headers: { cookie } })
  return status === 200 ? text : String(status)
}

const encoded = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64')
const payload = encoded({ user: 'momo', _expire: now + day, _maxAge: day })
const sha1 = (text: string, key = oldSecret): string => new Keygrip([key]).sign(text)

/** The two cookies that `ctx.cookies` makes of one. */
function signed(name: string, value: string, signature = sha1(`${name}=${value}`)): string {
  return `${name}=${value}; ${name}.sig=${signature}`
}

/** A store that has every session, and remembers what was asked. */
function createStore(session: unknown = { user: 'momo' }): { keys: string[]; get(key: string): unknown; destroy(key: string): void } {
  const keys: string[] = []
  return {
    keys,
    get(key) {
      keys.push(key)
      return session
    },
    destroy: () => undefined
  }
}

const right = signed('koa.sess', payload)
const forgedKoaCookies = (name: string, value: string): [string, string][] => [
  ['no signature', `${name}=${value}`],
  ['an empty signature', signed(name, value, '')],
  ['the signature of another value', signed(name, value, sha1(`${name}=${encoded({ user: 'lou' })}`))],
  ['the signature of another name', signed(name, value, sha1(`other=${value}`))],
  ['a signature by another key', signed(name, value, sha1(`${name}=${value}`, 'another secret'))],
  ['a signature by an empty key', signed(name, value, createHmac('sha1', '').update(`${name}=${value}`).digest('base64url'))],
  ['a SHA-256 signature', signed(name, value, new Keygrip([oldSecret], 'sha256').sign(`${name}=${value}`))],
  ['a signature that is cut', signed(name, value, sha1(`${name}=${value}`).slice(0, -1))],
  ['its value twice, with the signature of the second', `${name}=${encoded({ user: 'lou' })}; ${signed(name, value)}`],
  ['its signature only', `${name}.sig=${sha1(`${name}=${value}`)}`],
  ['an empty value', signed(name, '')]
]

test('koa-session: the signature of ctx.cookies opens a session', async (t) => {
  t.is(await userOf(t, fromKoaSession({ keys: [oldSecret], until }), right), 'momo')
})

for (const [what, cookie] of forgedKoaCookies('koa.sess', payload)) {
  test(`koa-session: a cookie with ${what} opens nothing`, async (t) => {
    t.is(await userOf(t, fromKoaSession({ keys: [oldSecret], until }), cookie), 'undefined')
  })
}

for (const [what, cookie] of forgedKoaCookies('koa.sid', 'x'.repeat(32))) {
  test(`koa-generic-session: a cookie with ${what} opens nothing, and the store is not asked`, async (t) => {
    const store = createStore()
    t.is(await userOf(t, fromKoaGenericSession({ keys: [oldSecret], store, until }), cookie), 'undefined')
    t.deepEqual(store.keys, [])
  })
}

test('koa-session: app.keys verify where no keys are given: secrets, older ones too, or the Keygrip', async (t) => {
  for (const keys of [[oldSecret], ['a newer secret', oldSecret], new Keygrip([oldSecret])] as const) {
    const { app, client } = await startStory(t, routes, { keys: [secret], migrate: fromKoaSession({ until }) })
    Object.assign(app, { keys })
    t.is((await client.get('/', { headers: { cookie: right } })).text, 'momo')
  }
  const sha256 = new Keygrip([oldSecret], 'sha256')
  t.is(await userOf(t, fromKoaSession({ keys: sha256, until }), signed('koa.sess', payload, sha256.sign(`koa.sess=${payload}`))), 'momo')
  t.is(await userOf(t, fromKoaSession({ keys: sha256, until }), right), 'undefined')
})

test('koa-session: without any keys, the request fails and says so', async (t) => {
  const { app, client, errors } = await startStory(t, routes, { keys: [secret], migrate: fromKoaSession({ until }) })
  for (const keys of [undefined, [], ['']]) {
    Object.assign(app, { keys })
    t.true((await client.get('/', { headers: { cookie: right } })).status >= 500)
    t.regex(errors.pop()!.message, /fromKoaSession\(options\): keys must be|Keys must be provided/)
  }
})

test('koa-session: what is expired, or no session at all, opens nothing', async (t) => {
  for (const value of [encoded({ user: 'momo', _expire: now - 1 }), encoded(null), encoded([]), encoded('momo'), encoded(1), 'eyJ1c2Vy', 'ä', encoded({ _expire: now + day, _maxAge: day })]) {
    t.is(await userOf(t, fromKoaSession({ keys: [oldSecret], until }), signed('koa.sess', value)), 'undefined', value)
  }
})

const decodeHex = (text: string): unknown => JSON.parse(Buffer.from(text, 'hex').toString())

test('koa-session: another name, another decoding, and a store', async (t) => {
  const keys = [oldSecret]
  t.is(await userOf(t, fromKoaSession({ keys, key: 'sess', until }), signed('sess', payload)), 'momo')
  t.is(await userOf(t, fromKoaSession({ keys, decode: decodeHex, until }), signed('koa.sess', Buffer.from('{"user":"lou"}').toString('hex'))), 'lou')
  t.is(await userOf(t, fromKoaSession({ keys, decode: decodeHex, until }), right), 'undefined')

  const store = createStore({ user: 'kim', _expire: now + day, _maxAge: day })
  t.is(await userOf(t, fromKoaSession({ keys, store, until }), signed('koa.sess', 'a-key')), 'kim')
  t.deepEqual([...new Set(store.keys)], ['a-key'])
  t.is(await userOf(t, fromKoaSession({ keys, store, until }), 'koa.sess=a-key'), 'undefined')
  t.is(await userOf(t, fromKoaSession({ signed: false, store, until }), 'koa.sess=a-key'), 'kim')
  t.is(await userOf(t, fromKoaSession({ keys, store: createStore({ user: 'kim', _expire: now - 1 }), until }), signed('koa.sess', 'a-key')), 'undefined')
})

test('koa-generic-session: another name and prefix, and the cookie that is stored with a session', async (t) => {
  const keys = [oldSecret]
  const store = createStore({ user: 'momo', cookie: { maxAge: day } })
  t.is(await userOf(t, fromKoaGenericSession({ keys, store, key: 'sid', prefix: 'p:', until }), signed('sid', 'abc')), 'momo')
  t.deepEqual([...new Set(store.keys)], ['p:abc'])
  t.is(await userOf(t, fromKoaGenericSession({ keys, store: createStore({ user: 'momo', cookie: { expires: new Date(now).toISOString() } }), until }), signed('koa.sid', 'abc')), 'undefined')
  t.is(await userOf(t, fromKoaGenericSession({ keys, store: createStore(null), until }), signed('koa.sid', 'abc')), 'undefined')
})

test('koa-session-minimal: only what can be a sid is looked up', async (t) => {
  const store = createStore()
  const sid = 'abcdefghijklmnopqrstuvwxyz_-0123'
  t.is(await userOf(t, fromKoaSessionMinimal({ store, until }), `koa:sess=${sid}`), 'momo')
  t.deepEqual([...new Set(store.keys)], [`koa:sess:${sid}`])
  for (const value of ['', sid.slice(1), `${sid}a`, `${sid.slice(1)}:`, `../${sid.slice(3)}`]) t.is(await userOf(t, fromKoaSessionMinimal({ store, until }), `koa:sess=${value}`), 'undefined')
  t.is(new Set(store.keys).size, 1)
})

const expressSign = (sid: string, key = oldSecret): string => createHmac('sha256', key).update(sid).digest('base64').replace(/=+$/, '')
const expressCookie = (sid: string, signature = expressSign(sid)): string => `connect.sid=${encodeURIComponent(`s:${sid}.${signature}`)}`

function createExpressStore(session: unknown = { cookie: { originalMaxAge: null }, user: 'momo' }, error?: Error) {
  const sids: string[] = []
  return {
    sids,
    get(sid: string, callback: (error?: unknown, session?: unknown) => void) {
      sids.push(sid)
      setImmediate(callback, error, session)
    },
    destroy(_sid: string, callback?: (error?: unknown) => void) {
      callback?.()
    }
  }
}

test('express-session: a cookie that one of the secrets signed opens a session', async (t) => {
  for (const keys of [oldSecret, ['a newer secret', oldSecret], Buffer.from(oldSecret)]) {
    t.is(await userOf(t, fromExpressSession({ secret: keys, store: createExpressStore(), until }), expressCookie('a.sid')), 'momo')
  }
  t.is(await userOf(t, fromExpressSession({ secret: oldSecret, name: 'sid', store: createExpressStore(), until }), `sid=s:abc.${expressSign('abc')}`), 'momo')
})

const forgedExpressCookies: [string, string][] = [
  ['no signature', 'connect.sid=abc'],
  ['no signature, but the mark of one', 'connect.sid=s%3Aabc'],
  ['an empty signature', expressCookie('abc', '')],
  ['the signature of another sid', expressCookie('abc', expressSign('def'))],
  ['a signature by another secret', expressCookie('abc', expressSign('abc', 'another secret'))],
  ['a signature by an empty secret', expressCookie('abc', expressSign('abc', ''))],
  ['a signature without the mark', `connect.sid=abc.${expressSign('abc')}`],
  ['a signature that is cut', expressCookie('abc', expressSign('abc').slice(0, -1))],
  ['an empty sid', expressCookie('')],
  ['a broken encoding', 'connect.sid=s%3Aabc.%zz']
]
for (const [what, cookie] of forgedExpressCookies) {
  test(`express-session: a cookie with ${what} opens nothing, and the store is not asked`, async (t) => {
    const store = createExpressStore()
    t.is(await userOf(t, fromExpressSession({ secret: oldSecret, store, until }), cookie), 'undefined')
    t.deepEqual(store.sids, [])
  })
}

test('express-session: what the store does not have, or has expired, opens nothing; a store that fails is 503', async (t) => {
  const open = (store: ExpressSessionBridgeOptions['store']) => userOf(t, fromExpressSession({ secret: oldSecret, store, until }), expressCookie('abc'))
  t.is(await open(createExpressStore(null)), 'undefined')
  t.is(await open(createExpressStore({ cookie: { expires: new Date(now).toISOString(), originalMaxAge: day }, user: 'momo' })), 'undefined')
  t.is(await open(createExpressStore(undefined, Object.assign(new Error('no file'), { code: 'ENOENT' }))), 'undefined')
  t.is(await open(createExpressStore(undefined, new Error('down'))), '503')
})

test('a store whose methods are generator functions is 503 and says what to do', async (t) => {
  const store = { *get(): Generator { yield 1 }, destroy: () => undefined }
  const { client, errors } = await startStory(t, routes, { migrate: fromKoaSession({ keys: [oldSecret], store, until }) })
  t.is((await client.get('/', { headers: { cookie: signed('koa.sess', 'a') } })).status, 503)
  t.regex(errors[0]!.message, /generator functions: wrap them with co\.wrap\(\)/)
})

test('no event and no error quotes an old cookie', async (t) => {
  const events = recordEvents(t)
  const failing = { get: async () => Promise.reject(new Error('down')), destroy: () => undefined }
  const { client, errors } = await startStory(t, routes, { migrate: fromKoaSession({ keys: [oldSecret], store: failing, until }) })
  await client.get('/', { headers: { cookie: signed('koa.sess', 'the-old-sid') } })
  t.is(errors.length, 1)
  t.false(/the-old-sid/.test(JSON.stringify(events) + errors[0]!.message))
})

test('wrong options are refused when the bridge is made', (t) => {
  const store = createStore()
  const wrong: [() => unknown, RegExp][] = [
    [() => fromKoaSession({} as KoaSessionBridgeOptions), /fromKoaSession\(options\): until must be a valid Date/],
    [() => fromKoaSession({ until, signed: false }), /signed: false needs a store/],
    [() => fromKoaSession({ until, keys: [''] }), /keys must be/],
    [() => fromKoaSession({ until, maxAge: '1d' } as object as KoaSessionBridgeOptions), /maxAge must be/],
    [() => fromKoaSession({ until, store: {} } as object as KoaSessionBridgeOptions), /store must be/],
    [() => fromKoaSession({ until, name: 'koa.sess' } as KoaSessionBridgeOptions), /unknown option "name"/],
    [() => fromKoaGenericSession({ until } as KoaGenericSessionBridgeOptions), /fromKoaGenericSession\(options\): store must be/],
    [() => fromKoaGenericSession({ until, store, maxAge: '1d' } as object as KoaGenericSessionBridgeOptions), /maxAge must be/],
    [() => fromKoaSessionMinimal({ until } as KoaSessionMinimalBridgeOptions), /fromKoaSessionMinimal\(options\): store must be/],
    [() => fromExpressSession({ until, store: createExpressStore() } as object as ExpressSessionBridgeOptions), /fromExpressSession\(options\): secret must be/],
    [() => fromExpressSession({ until, store: createExpressStore(), secret: [] }), /secret must be/],
    [() => fromExpressSession({ until, store: createExpressStore(), secret: ['a', ''] }), /secret must be/],
    [() => fromExpressSession({ until, secret: 'a' } as object as ExpressSessionBridgeOptions), /store must be/]
  ]
  for (const [make, message] of wrong) t.throws(make, { instanceOf: TypeError, message })
})
