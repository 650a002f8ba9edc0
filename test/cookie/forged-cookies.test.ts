import test from 'ava'
import * as fc from 'fast-check'
import Keygrip from 'keygrip'
import type { Context } from 'koa'
import { cacheBound, createCookie, type SessionCookie } from '../src/cookie.js'
import { cookieStore, session, type Keys, type SessionOptions } from '../src/index.js'
import { resolveOptions } from '../src/options.js'
import { createSid, idOf } from '../src/sid.js'
import { memoryStore } from '../src/stores/memory.js'
import { sessionCookie } from '../src/testing.js'
import { startApp } from './support/app.js'
import { exchangeRaw } from './support/raw.js'
import { startStory, createApp, routesOf, secret } from './support/story.js'

const newer = 'the newer key, which is longer than 32 characters'

function cookieOf(options: SessionOptions = {}) {
  return createCookie(resolveOptions({ store: memoryStore(), ...options }))
}

/** A valid `Cookie` header. */
function issue(subject: SessionCookie, keys: Keys = [secret], payload?: string, sid = createSid()): string {
  const line = subject.write(sid, payload, keys, false, undefined)
  return line.slice(0, line.indexOf(';'))
}

const base64url = fc.constantFrom(...'A B C X Y Z a b c x y z 0 1 8 9 - _'.split(' '))
/** Whatever stands in headers: latin1 without control characters, and what cookies are made of. */
const noise = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f).map((code) => String.fromCharCode(code)), maxLength: 200 }),
  fc.string({ unit: base64url, maxLength: 100 }),
  fc.constantFrom('', '.', '..', '=', ';', '"', '%', '%2E', ',', 'session', 'session=', '__proto__', '\t')
)
const piece = (length: number) => fc.string({ unit: base64url, minLength: length, maxLength: length })
/** Of the very form that a cookie has, signed by nobody. */
const forged = fc.tuple(piece(43), piece(43)).map((parts) => parts.join('.'))

/** One edit of a text, which it changes or not. */
type Edit = (text: string) => string
const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat({ max: 5 }), noise).map(([place, length, replacement]): Edit => (text) => {
    const start = place % (text.length + 1)
    return text.slice(0, start) + replacement + text.slice(start + length)
  }),
  fc.nat().map((place): Edit => (text) => text.slice(0, place % text.length)),
  fc.nat().map((place): Edit => (text) => text.slice(1 + (place % text.length))),
  noise.map((more): Edit => (text) => text + more),
  noise.map((more): Edit => (text) => more + text),
  fc.constantFrom<Edit>(
    (text) => text.toUpperCase(),
    (text) => text.toLowerCase(),
    (text) => text.split('.').toReversed().join('.'),
    (text) => `"${text}"`,
    (text) => encodeURIComponent(text).replaceAll('.', '%2E'),
    (text) => text.replaceAll('-', '+').replaceAll('_', '/'),
    (text) => `${text}=`,
    (text) => text.repeat(200)
  )
)

test('what was written is read', (t) => {
  const subject = cookieOf()
  const sid = createSid()
  const header = issue(subject, [secret], undefined, sid)
  t.regex(header, /^session=[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}$/)
  t.deepEqual(subject.read(header, [secret]), { sid, id: idOf(sid), payload: undefined, stale: false })
  t.deepEqual(subject.read(`a=1;${header};b=2`, [secret])?.sid, sid)
  t.is(subject.read(undefined, [secret]), undefined)
})

test('a header of anything is no session and never throws', (t) => {
  const cookies = [cookieOf(), cookieOf({ store: cookieStore() }), cookieOf({ name: 'a' }), cookieOf({ name: '$' })]
  const header = fc.array(fc.oneof(noise, fc.tuple(fc.constantFrom('session=', 'a=', '$=', ' session ='), fc.oneof(noise, forged)).map((parts) => parts.join(''))), { maxLength: 12 })
  fc.assert(
    fc.property(header, (parts) => {
      for (const subject of cookies) {
        t.is(subject.read(parts.join(';'), [secret]), undefined)
        t.is(typeof subject.isIn(parts.join(';')), 'boolean')
      }
    }),
    { numRuns: 1000 }
  )
})

for (const [name, options] of [['sid', {}], ['record', { store: cookieStore() }]] as const) {
  test(`a signed ${name} that was changed anywhere is worth nothing`, (t) => {
    const subject = cookieOf(options)
    const payload = name === 'record' ? Buffer.from('{"rev":1}').toString('base64url') : undefined
    const value = issue(subject, [secret], payload).slice('session='.length)
    fc.assert(
      fc.property(edits, (edit) => {
        const changed = edit(value)
        // An edit that leaves the value whole between semicolons has forged nothing.
        fc.pre(!changed.split(';').some((part) => part.trim() === value || part.trim() === `session=${value}`))
        t.is(subject.read(`session=${changed}`, [secret]), undefined)
      }),
      { numRuns: 1000 }
    )
    t.not(subject.read(`session=${value}`, [secret]), undefined)
  })
}

test('a cookie is worth nothing under another name, with other keys or for another kind of store', (t) => {
  const line = issue(cookieOf())
  const other = line.replace('session=', 'other=')
  t.is(cookieOf({ name: 'other' }).read(other, [secret]), undefined)
  t.is(cookieOf().read(line, [newer]), undefined)
  t.is(cookieOf({ store: cookieStore() }).read(line, [secret]), undefined)
  t.is(cookieOf({ signed: false }).read(line, undefined), undefined)
  const carried = issue(cookieOf({ store: cookieStore() }), [secret], 'YWJj')
  t.is(cookieOf().read(carried, [secret]), undefined)
})

test('however many cookies come, 8 are looked at, and of two that verify none is used', (t) => {
  const subject = cookieOf()
  const [one, two] = [1, 2].map(() => issue(subject)) as [string, string]
  const item = fc.oneof(fc.constantFrom(one, two), forged.map((value) => `session=${value}`), noise.filter((text) => !text.includes(';')).map((text) => `other=${text}`))
  fc.assert(
    fc.property(fc.array(item, { maxLength: 14 }), (items) => {
      const looked = new Set(items.filter((each) => each.startsWith('session=')).slice(0, 8))
      const valid = [one, two].filter((each) => looked.has(each))
      const expected = valid.length === 1 ? valid[0]!.slice('session='.length).split('.')[0] : undefined
      t.is(subject.read(items.join('; '), [secret])?.sid, expected)
    }),
    { numRuns: 500 }
  )
})

test('an oversized header is read in no time', (t) => {
  const subject = cookieOf()
  const start = process.hrtime.bigint()
  for (const text of ['session=', 'session=;', `session=${'A'.repeat(43)}.`, ' ', ';', `session=${'A'.repeat(16_000)}`]) {
    t.is(subject.read(text.repeat(16_384 / text.length + 1), [secret]), undefined)
  }
  t.true(process.hrtime.bigint() - start < 1_000_000_000n)
})

test('a verified cookie is remembered, and what does not verify is not', (t) => {
  const cookie = cookieOf()
  const header = issue(cookie)
  t.is(cookie.cached, 0)
  const token = cookie.read(header, [secret])
  t.is(cookie.cached, 1)
  t.is(cookie.read(header, [secret]), token)
  t.is(cookie.cached, 1)
  fc.assert(fc.property(forged, (value) => t.is(cookie.read(`session=${value}`, [secret]), undefined)))
  t.is(cookie.cached, 1)
})

test('what is remembered never grows past its bound', (t) => {
  const cookie = cookieOf()
  for (let count = 1; count <= cacheBound + 50; count++) {
    cookie.read(issue(cookie), [secret])
    if (cookie.cached > cacheBound) t.fail(`${cookie.cached} after ${count}`)
  }
  // The half that was used last is full, and the other one begun.
  t.is(cookie.cached, cacheBound / 2 + 50)
})

test('what is remembered never outlives a change of the keys, however it is made', (t) => {
  const changes: readonly [string, (keys: string[]) => string[], 'fresh' | 'stale' | 'worthless'][] = [
    ['another list', () => [newer], 'worthless'],
    ['another list with the older key', () => [newer, secret], 'stale'],
    ['a key added in place', (keys) => (keys.unshift(newer), keys), 'stale'],
    ['a key replaced in place', (keys) => ((keys[0] = newer), keys), 'worthless'],
    ['a key removed in place', (keys) => (keys.shift(), keys.push(newer), keys), 'worthless'],
    ['the same keys in another list', (keys) => [...keys], 'fresh']
  ]
  for (const [name, change, expected] of changes) {
    const cookie = cookieOf()
    const keys = [secret]
    const header = issue(cookie, keys)
    t.is(cookie.read(header, keys)?.stale, false)
    const rotated = change(keys)
    const token = cookie.read(header, rotated)
    t.is(token ? (token.stale ? 'stale' : 'fresh') : 'worthless', expected, name)
    t.is(cookie.cached, expected === 'worthless' ? 0 : 1, name)
    // A request without a cookie is enough to forget.
    cookie.read(undefined, ['a third key, which is longer than 32 characters'])
    t.is(cookie.cached, 0, name)
  }
})

test('over any sequence of key lists a cookie is accepted exactly while its key is among them', (t) => {
  const names = ['first', 'second', 'third'].map((name) => `${name}${secret}`)
  const step = fc.record({ keys: fc.subarray(names, { minLength: 1 }), which: fc.nat({ max: 2 }) })
  fc.assert(
    fc.property(fc.array(step, { minLength: 1, maxLength: 20 }), (steps) => {
      const cookie = cookieOf()
      const headers = names.map((name) => issue(cookie, [name]))
      for (const { keys, which } of steps) {
        const place = keys.indexOf(names[which]!)
        t.is(cookie.read(headers[which], keys)?.stale, place === -1 ? undefined : place > 0)
      }
    })
  )
})

test('with a ready Keygrip, whose keys may change unseen, and with records in the cookie nothing is remembered', (t) => {
  const keys = [secret]
  const ring = new Keygrip(keys, 'sha256')
  const cookie = cookieOf()
  const header = issue(cookie, ring, undefined)
  t.not(cookie.read(header, ring), undefined)
  t.is(cookie.cached, 0)
  keys[0] = newer
  t.is(cookie.read(header, ring), undefined)
  const carrying = cookieOf({ store: cookieStore() })
  t.not(carrying.read(issue(carrying, [secret], 'YWJj'), [secret]), undefined)
  t.is(carrying.cached, 0)
})

const attributes: readonly [SessionOptions['cookie'], boolean, number | undefined, string][] = [
  [{}, false, undefined, '; Path=/; HttpOnly; SameSite=Lax'],
  [{}, true, undefined, '; Path=/; HttpOnly; Secure; SameSite=Lax'],
  [{}, false, 0, '; Path=/; HttpOnly; SameSite=Lax; Expires=Thu, 01 Jan 1970 00:00:00 GMT'],
  [{ httpOnly: false, sameSite: false }, false, undefined, '; Path=/'],
  [
    { path: '/app', domain: 'example.org', secure: true, sameSite: 'none', partitioned: true, priority: 'high' }, true, undefined,
    '; Path=/app; Domain=example.org; HttpOnly; Secure; SameSite=None; Partitioned; Priority=High'
  ]
]
for (const [cookie, secure, expires, expected] of attributes) {
  test(`${JSON.stringify({ ...cookie, secure, expires })} is written as${expected}`, (t) => {
    const subject = cookieOf({ cookie })
    const sid = createSid()
    const line = subject.write(sid, undefined, [secret], secure, expires)
    t.is(line.slice(line.indexOf(';')), expected)
    t.is(subject.clear(secure), `session=${expected.replace(/; Expires.*/, '')}; Expires=Thu, 01 Jan 1970 00:00:00 GMT`)
  })
}

const visit = (ctx: Context) => ({ data: { ...(ctx.session as object) }, isNew: ctx.session.isNew })

test('no cookie that a client can make up reaches the store, makes an error or is a session, in any request', async (t) => {
  const { origin, store, errors, time } = await startStory(t, { '/': visit })
  const valid = await sessionCookie({ user: 'momo' }, { store, keys: [secret], now: time.now })
  store.calls.length = 0
  const value = valid.slice('session='.length)
  const bad = fc.oneof(noise, forged, edits.map((edit) => edit(value)), fc.string({ unit: base64url, minLength: 3000, maxLength: 6000 }))
  await fc.assert(
    fc.asyncProperty(fc.array(bad, { minLength: 1, maxLength: 6 }), async (values) => {
      const header = values.map((each) => `session=${each}`).join('; ')
      fc.pre(header.length < 15_000 && !header.includes(value))
      const { status, body, head } = await exchangeRaw(origin, header)
      t.is(status, 200)
      t.is(body, '{"data":{},"isNew":true}')
      t.false(/set-cookie/i.test(head))
      t.is(store.said, '')
    }),
    { numRuns: 300 }
  )
  t.deepEqual(errors, [])
  t.is((await exchangeRaw(origin, valid)).body, '{"data":{"user":"momo"},"isNew":false}')
  t.is(store.said, 'read')
})

test('without signatures every cookie of the right form is looked up and no other, and none is adopted', async (t) => {
  const { origin, store, errors } = await startStory(t, { '/': visit }, { signed: false })
  await fc.assert(
    fc.asyncProperty(fc.oneof(noise, piece(43), piece(42), piece(44)), async (value) => {
      store.calls.length = 0
      const { status, body } = await exchangeRaw(origin, `session=${value}`)
      t.is(status, 200)
      t.is(body, '{"data":{},"isNew":true}')
      const wanted = value.split(';').map((part) => part.trim().replace(/^session=/, '')).filter((part) => /^[A-Za-z0-9_-]{43}$/.test(part))
      t.deepEqual(store.calls, wanted.slice(0, 1).map((sid) => ({ method: 'read', id: idOf(sid) })))
    }),
    { numRuns: 200 }
  )
  t.deepEqual(errors, [])
})

test('with records in the cookie, none that a client can make up is a session or an error', async (t) => {
  const app = createApp()
  const errors: unknown[] = []
  app.on('error', (error) => errors.push(error))
  app.use(session({ store: cookieStore() }))
  app.use(routesOf({ '/': visit }))
  const origin = await startApp(t, app)
  const valid = await sessionCookie({ user: 'momo' }, { store: cookieStore(), keys: [secret] })
  const value = valid.slice('session='.length)
  await fc.assert(
    fc.asyncProperty(fc.oneof(edits.map((edit) => edit(value)), fc.tuple(piece(43), noise, piece(43)).map((parts) => parts.join('.'))), async (bad) => {
      fc.pre(bad.length < 15_000 && !bad.includes(value))
      const { status, body } = await exchangeRaw(origin, `session=${bad}`)
      t.is(status, 200)
      t.is(body, '{"data":{},"isNew":true}')
    }),
    { numRuns: 200 }
  )
  t.deepEqual(errors, [])
  t.is((await exchangeRaw(origin, valid)).body, '{"data":{"user":"momo"},"isNew":false}')
})
