import test from 'ava'
import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import { inspect } from 'node:util'
import { cookieStore, memoryStore, session, type SessionStore } from '../../src/index.js'
import { createApp, startStory, type Options } from '../support/story.js'

const anything: unknown[] = [null, 0, -1, 1.5, Number.NaN, Infinity, '', 'text', true, false, [], {}, () => true, Symbol('s'), 1n]
const type = (...kinds: string[]) => (value: unknown) => kinds.includes(typeof value)

/** For every option, which of those values are right. */
const right: Record<string, (value: unknown) => boolean> = {
  store: () => false,
  signed: type('boolean'),
  name: (value) => value === 'text',
  permanent: type('boolean'),
  lifetime: (value) => value === 1.5,
  absoluteLifetime: (value) => value === 1.5 || value === Infinity,
  refreshEachRequest: type('boolean'),
  touchAfter: (value) => value === 0 || value === 1.5,
  prefix: type('string'),
  maxBytes: (value) => value === 1.5,
  saveOnError: type('boolean'),
  onStoreError: () => false,
  storeTimeout: (value) => value === 1.5,
  skip: type('function'),
  as: (value) => value === 'text',
  // The only function among the values returns no number.
  now: () => false,
  cookie: (value) => typeof value === 'object' && value !== null && !Array.isArray(value)
}

for (const [name, isRight] of Object.entries(right)) {
  test(`${name}: a wrong value is a TypeError that names the option and what is expected, in the call itself`, (t) => {
    for (const value of anything) {
      const make = () => session({ store: memoryStore(), [name]: value })
      if (isRight(value)) {
        t.notThrows(make, `${name}: ${inspect(value)}`)
        continue
      }
      const error = t.throws(make, { instanceOf: TypeError }, `${name}: ${inspect(value)}`)
      t.true(error?.message.includes(name), error?.message)
    }
  })
}

test('as: a property that Koa itself uses on ctx is refused in the call', (t) => {
  const request = new IncomingMessage(new Socket())
  for (const name of Object.keys(createApp().createContext(request, new ServerResponse(request)))) {
    t.throws(() => session({ store: memoryStore(), as: name }), { instanceOf: TypeError, message: /\bas must be/ }, name)
  }
})

const rightCookie: Record<string, (value: unknown) => boolean> = {
  path: () => false,
  domain: (value) => value === 'text',
  httpOnly: type('boolean'),
  secure: type('boolean'),
  sameSite: (value) => value === false,
  partitioned: type('boolean'),
  priority: () => false
}

for (const [name, isRight] of Object.entries(rightCookie)) {
  test(`cookie.${name}: a wrong value is a TypeError that names it`, (t) => {
    for (const value of anything) {
      const make = () => session({ store: memoryStore(), cookie: { [name]: value } })
      if (isRight(value)) t.notThrows(make, inspect(value))
      else t.true(t.throws(make, { instanceOf: TypeError }, `${name}: ${typeof value}`)?.message.includes(name))
    }
  })
}

test('an unknown option is refused and the known ones are listed', (t) => {
  t.throws(() => session({ store: memoryStore(), maxAge: 1 } as Options), { instanceOf: TypeError, message: /maxAge.*lifetime/s })
  t.throws(() => session({ store: memoryStore(), cookie: { maxAge: 1 } } as unknown as Options), { instanceOf: TypeError, message: /maxAge.*lifetime.*sameSite/s })
  t.throws(() => session({ store: memoryStore(), key: 'koa.sess' } as Options), { instanceOf: TypeError, message: /"key"/ })
})

test('anything but an object of options is refused', (t) => {
  for (const value of [null, 1, 'text', [], true]) t.throws(() => session(value as unknown as Options), { instanceOf: TypeError })
})

test('names of koa-session, express-session and Flask-Session are refused with what to write instead', (t) => {
  const message = /"key" is now name; "maxAge" is now lifetime.*; "httpOnly" is now cookie\.httpOnly; "rolling" is now refreshEachRequest; unknown option "lifetme": did you mean "lifetime"\?/
  t.throws(() => session({ store: memoryStore(), key: 'koa.sess', maxAge: 1, httpOnly: true, rolling: true, lifetme: 1 } as Options), { instanceOf: TypeError, message })
})

test('a store of another library is refused with the adapter that makes it a store', (t) => {
  const koaSessionStore = { get: async () => undefined, set: async () => undefined, destroy: async () => undefined }
  t.throws(() => session({ store: koaSessionStore as unknown as SessionStore }), { instanceOf: TypeError, message: /store: fromKoaSessionStore\(store\)/ })
  const expressStore = { ...koaSessionStore, createSession: () => undefined }
  t.throws(() => session({ store: expressStore as unknown as SessionStore }), { instanceOf: TypeError, message: /store: fromExpressStore\(store\)/ })
})

test('one error lists every wrong option of the call, names and values, those of the cookie too', (t) => {
  const options = { store: 'redis://user:hunter2@localhost', key: 'koa.sess', lifetime: '7d', onStoreError: 'Fail', as: 'body', cookie: { maxAge: 1, sameSite: 'Lax' }, keys: 'hunter2' }
  const { message } = t.throws(() => session(options as unknown as Options), { instanceOf: TypeError })
  const parts = [
    '"key" is now name', "update and destroy (for a URL, storeFromUrl('redis://…')), got a string", "above 0, at most a thousand years, got '7d'",
    "onStoreError must be 'fail' or 'anonymous', got 'Fail'", "as must be a property name that Koa does not use, got 'body'",
    'cookie: "maxAge" is now the option lifetime', "cookie.sameSite must be 'lax', 'strict', 'none' or false, got 'Lax'", 'keys must be an array'
  ]
  for (const part of parts) t.true(message.includes(part), `${part}\n${message}`)
  t.false(message.includes('hunter2'))
})

test("names of Flask's settings are refused with the call of settings()", (t) => {
  for (const name of ['SECRET_KEY', 'SESSION_TYPE', 'SESSION_COOKIE_NAME', 'PERMANENT_SESSION_LIFETIME']) {
    t.throws(() => session({ store: memoryStore(), [name]: 'x' } as Options), { instanceOf: TypeError, message: new RegExp(`"${name}" is a setting of Flask: write session\\(settings\\(`) })
  }
})

test('session(app) and session(options, app), as in koa-session, are refused with what to write', (t) => {
  const app = createApp()
  const call = session as unknown as (...given: unknown[]) => unknown
  t.throws(() => call(app), { instanceOf: TypeError, message: /got an application: write app\.use\(session\(\)\)/ })
  t.throws(() => call(app, {}), { instanceOf: TypeError, message: /got an application/ })
  for (const second of [app, {}]) t.throws(() => call({ store: memoryStore() }, second), { instanceOf: TypeError, message: /expected one argument, got .*: write app\.use\(session\(\{ … \}\)\)/ })
  t.notThrows(() => call({ store: memoryStore() }, undefined))
})

test('something that is no store is refused with what to write', (t) => {
  for (const [store, advice] of [[memoryStore, /as in fileStore\(\)/], [Promise.resolve(), /await the promise/], [createApp(), /redisStore\(\{ client \}\)/]] as const) {
    t.throws(() => session({ store: store as unknown as SessionStore, prefix: 'x:', maxPerOwner: 1 }), { instanceOf: TypeError, message: advice })
  }
})

const impossible: [string, Options, RegExp][] = [
  ['sameSite none without secure', { cookie: { sameSite: 'none', secure: false } }, /sameSite.*secure/],
  ['partitioned without secure', { cookie: { partitioned: true, secure: false } }, /partitioned.*secure/],
  ['__Secure- without secure', { name: '__Secure-session' }, /__Secure-.*secure/],
  ['__Host- without secure', { name: '__Host-session' }, /__Host-.*secure/],
  ['__Host- with a domain', { name: '__Host-session', cookie: { secure: true, domain: 'example.test' } }, /__Host-.*domain/],
  ['__Host- with a path', { name: '__Host-session', cookie: { secure: true, path: '/shop' } }, /__Host-.*path/],
  ['__host- in any case', { name: '__hOST-session', cookie: { secure: true, path: '/shop' } }, /path/],
  ['a path with a semicolon', { cookie: { path: '/; Domain=evil.test' } }, /path/],
  ['a domain with a semicolon', { cookie: { domain: 'a.test; Secure' } }, /domain/],
  ['a name with a line break', { name: 'a\r\nX: y' }, /name/],
  ['a name with an equals sign', { name: 'a=b' }, /name/],
  ['an unsigned cookieStore', { store: cookieStore(), signed: false }, /signed/],
  ['a cookieStore with a prefix', { store: cookieStore(), prefix: 'x:' }, /prefix/],
  ['a storeTimeout over 2^31 ms', { storeTimeout: 2 ** 31 }, /storeTimeout/],
  ['a store that lacks a method', { store: { read: async () => undefined } as unknown as NonNullable<Options['store']> }, /store/]
]

for (const [what, options, message] of impossible) {
  test(`${what} is refused: the error says why`, (t) => {
    t.throws(() => session({ store: memoryStore(), ...options }), { instanceOf: TypeError, message })
  })
}

test('a prefix is refused for a store that cannot apply it', (t) => {
  const store = { ...memoryStore(), scope: undefined } as unknown as SessionStore
  t.notThrows(() => session({ store }))
  t.throws(() => session({ store, prefix: 'x:' }), { instanceOf: TypeError, message: /prefix/ })
})

test('valid combinations of options are accepted', (t) => {
  t.notThrows(() => session({ store: memoryStore(), name: '__Host-session', cookie: { secure: true } }))
  t.notThrows(() => session({ store: memoryStore(), name: '__Secure-session', cookie: { secure: true, domain: 'example.test', path: '/shop' } }))
  t.notThrows(() => session({ store: memoryStore(), cookie: { secure: true, sameSite: 'none', partitioned: true } }))
  t.notThrows(() => session({ store: cookieStore() }))
})

test('undefined means absent, for every option', (t) => {
  const options = Object.fromEntries([...Object.keys(right), 'keys'].map((name) => [name, undefined]))
  const cookie = Object.fromEntries(Object.keys(rightCookie).map((name) => [name, undefined]))
  t.notThrows(() => session({ ...options, store: memoryStore(), cookie }))
})

const makeOptions = () => ({ store: memoryStore(), cookie: { path: '/shop' }, keys: ['a secret of more than thirty-two characters'] })

test('session() never writes to its options: frozen ones work, and others stay as they were', (t) => {
  const frozen = makeOptions()
  Object.freeze(frozen.cookie)
  Object.freeze(frozen.keys)
  t.notThrows(() => session(Object.freeze(frozen)))
  const options = makeOptions()
  session(options)
  t.deepEqual(Object.keys(options), ['store', 'cookie', 'keys'])
  t.deepEqual(options.cookie, { path: '/shop' })
})

test('options that are changed after the call change nothing', async (t) => {
  const cookie: NonNullable<Options['cookie']> = { path: '/' }
  const { client } = await startStory(t, { '/': (ctx) => void (ctx.session.user = 'momo') }, { cookie })
  cookie.path = '/elsewhere'
  await client.get('/')
  t.is(client.cookies[0]?.path, '/')
})

test('no message quotes a secret', (t) => {
  const error = t.throws(() => session({ store: memoryStore(), keys: 'my-very-secret-secret' as unknown as string[] }))
  t.false(error.message.includes('my-very'))
  t.regex(error.message, /keys/)
})
