import test from 'ava'
import { inspect } from 'node:util'
import { resolveCookieOptions, type CookieOptions } from '../../src/cookie/index.js'

const resolve = (options?: unknown, name = 'session') => resolveCookieOptions('session(options)', name, options as CookieOptions)

test('without options, the cookie has the documented defaults', (t) => {
  const defaults = { path: '/', domain: undefined, httpOnly: true, secure: 'auto', sameSite: 'lax', partitioned: false, priority: undefined, previous: [] }
  t.deepEqual(resolve(), defaults)
  t.deepEqual(resolve({}), defaults)
  t.deepEqual(resolve(Object.fromEntries(Object.keys(defaults).map((name) => [name, undefined]))), defaults)
})

const type = (...kinds: string[]) => (value: unknown) => kinds.includes(typeof value)
const anything: unknown[] = [null, 0, -1, 1.5, Number.NaN, Infinity, '', 'text', true, false, [], {}, () => true, Symbol('s'), 1n]
const right: Record<keyof CookieOptions, (value: unknown) => boolean> = {
  path: () => false,
  domain: (value) => value === 'text',
  httpOnly: type('boolean'),
  secure: type('boolean'),
  sameSite: (value) => value === false,
  partitioned: type('boolean'),
  priority: () => false,
  previous: Array.isArray
}
for (const [name, isRight] of Object.entries(right)) {
  test(`cookie.${name}: a wrong value is a TypeError that names it and shows the value`, (t) => {
    for (const value of anything) {
      const make = () => resolve({ [name]: value })
      if (isRight(value)) t.notThrows(make, inspect(value))
      else t.true(t.throws(make, { instanceOf: TypeError }, inspect(value)).message.includes(`cookie.${name} must be`))
    }
  })
}

const messages: readonly [what: string, make: () => unknown, message: string][] = [
  ['another case', () => resolve({ sameSite: 'Lax' }), "session(options): cookie.sameSite must be 'lax', 'strict', 'none' or false, got 'Lax'"],
  ['true for sameSite', () => resolve({ sameSite: true }), "session(options): cookie.sameSite must be 'lax', 'strict', 'none' or false, got true"],
  ['a path without slash', () => resolve({ path: 'app' }), 'session(options): cookie.path must be a path that starts with / and has no ";", got \'app\''],
  ['a URL as domain', () => resolve({ domain: 'https://example.org' }), "session(options): cookie.domain must be a domain name, got 'https://example.org'"],
  ['a colon in the name', () => resolve({}, 'koa:sess'), "session(options): name must be a cookie name (RFC 6265), got 'koa:sess': it must not contain ':'; use for example 'koa.sess'"],
  ['a space in the name', () => resolve({}, 'my session'), "session(options): name must be a cookie name (RFC 6265), got 'my session': it must not contain ' '; use for example 'my.session'"],
  ['a line break in the name', () => resolve({}, 'a\r\nX: y'), String.raw`session(options): name must be a cookie name (RFC 6265), got 'a\r\nX: y': it must not contain '\r'; use for example 'a.X.y'`],
  ['nothing but bad characters in the name', () => resolve({}, 'ö'), "session(options): name must be a cookie name (RFC 6265), got 'ö': it must not contain 'ö'; use for example 'session'"],
  ['an empty name', () => resolve({}, ''), "session(options): name must be a cookie name such as 'session', got ''"],
  ['a number as name', () => resolve({}, 1 as unknown as string), "session(options): name must be a cookie name such as 'session', got 1"],
  ['an object as previous', () => resolve({ previous: { path: '/app' } }), 'session(options): cookie.previous must be an array such as [{ path: "/app" }], got { path: \'/app\' }'],
  ['a wrong path in previous', () => resolve({ previous: [{ path: '/app' }, { path: 'app' }] }), 'session(options): cookie.previous[1].path must be a path that starts with / and has no ";", got \'app\''],
  ['an unknown name in previous', () => resolve({ previous: [{ Path: '/app' }] }), 'session(options): cookie.previous[0]: unknown option "Path": did you mean "path"?; known are path, domain, partitioned'],
  ['text in previous', () => resolve({ previous: ['/app'] }), 'session(options): cookie.previous[0]: expected an object of options, got a string'],
  [
    'the present scope in previous', () => resolve({ domain: 'example.org', previous: [{ domain: '.Example.org' }] }),
    'session(options): cookie.previous[0] is the domain and path that the cookie has now, which would be cleared: leave it out'
  ]
]
for (const [what, make, message] of messages) {
  test(`${what} is refused: ${message}`, (t) => {
    t.throws(make, { instanceOf: TypeError, message })
  })
}

test('an unknown option is refused and the known ones are listed', (t) => {
  t.throws(() => resolve({ colour: 1 }), { instanceOf: TypeError, message: /unknown option "colour".*sameSite/ })
})

test('one error lists everything that is wrong with the cookie, and says what to write instead of the names of other libraries', (t) => {
  const message =
    'session(options): cookie: "maxAge" is now the option lifetime, in milliseconds; for a cookie that outlives the browser also set permanent: true; ' +
    '"overwrite" is not needed; known are path, domain, httpOnly, secure, sameSite, partitioned, priority, previous; ' +
    "name must be a cookie name (RFC 6265), got 'koa:sess': it must not contain ':'; use for example 'koa.sess'; " +
    "cookie.path must be a path that starts with / and has no \";\", got 'app'; cookie.sameSite must be 'lax', 'strict', 'none' or false, got 'Lax'"
  t.throws(() => resolve({ maxAge: 1, overwrite: true, path: 'app', sameSite: 'Lax' }, 'koa:sess'), { instanceOf: TypeError, message })
})

test('a long value is cut off in the message', (t) => {
  t.true(t.throws(() => resolve({ domain: ' '.repeat(10_000) })).message.length < 300)
})

const impossible: readonly [what: string, options: CookieOptions, name: string, message: RegExp][] = [
  ['sameSite none without secure', { sameSite: 'none', secure: false }, 's', /sameSite: 'none' needs cookie\.secure: true or 'auto'/],
  ['partitioned without secure', { partitioned: true, secure: false }, 's', /partitioned needs cookie\.secure: true or 'auto'/],
  ['__Secure- without secure', {}, '__Secure-session', /__Secure-.*secure: true/],
  ['__Host- without secure', {}, '__Host-session', /__Host-.*secure: true/],
  ['__Host- with a domain', { secure: true, domain: 'example.test' }, '__Host-session', /__Host-.*domain/],
  ['__Host- with a path', { secure: true, path: '/shop' }, '__Host-session', /__Host-.*path/],
  ['__host- in any case', { secure: true, path: '/shop' }, '__hOST-session', /path/],
  ['a path with a semicolon', { path: '/; Domain=evil.test' }, 's', /path/],
  ['a domain with a semicolon', { domain: 'a.test; Secure' }, 's', /domain/],
  ['a name with an equals sign', {}, 'a=b', /name.*'a\.b'/]
]
for (const [what, options, name, message] of impossible) {
  test(`${what} is refused: the error says why`, (t) => {
    t.throws(() => resolve(options, name), { instanceOf: TypeError, message })
  })
}

test('combinations that browsers keep are accepted', (t) => {
  t.notThrows(() => resolve({ secure: true }, '__Host-session'))
  t.notThrows(() => resolve({ secure: true, domain: 'example.test', path: '/shop' }, '__Secure-session'))
  t.notThrows(() => resolve({ secure: true, sameSite: 'none', partitioned: true }))
  t.notThrows(() => resolve({ sameSite: 'none', partitioned: true }))
})

test('in an earlier scope, path and domain have their defaults and partitioned has its present value', (t) => {
  t.deepEqual(resolve({ path: '/app', partitioned: true, previous: [{}, { domain: 'a.test', path: '/' }, { path: '/app', partitioned: false }] }).previous, [
    { path: '/', domain: undefined, partitioned: true },
    { path: '/', domain: 'a.test', partitioned: true },
    { path: '/app', domain: undefined, partitioned: false }
  ])
})

test('the options are never written to, and later changes to them have no effect', (t) => {
  const previous = [Object.freeze({ path: '/old' })]
  const options = Object.freeze({ path: '/app', previous })
  const settings = resolve(options)
  previous.pop()
  t.deepEqual(settings.previous, [{ path: '/old', domain: undefined, partitioned: false }])
})
