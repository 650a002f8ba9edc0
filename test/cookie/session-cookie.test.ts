import test from 'ava'
import * as fc from 'fast-check'
import { createSid, idOf, type CookieOptions } from '../../src/cookie/index.js'
import { TokenSigner } from '../../src/cookie/token.js'
import { recordEvents } from '../support/events.js'
import { cookieOf, edits, forged, isWhole, issue, newer, noise, secret } from './subjects.js'

test('a written cookie is read back', (t) => {
  const subject = cookieOf()
  const sid = createSid()
  const header = issue(subject, [secret], undefined, sid)
  t.regex(header, /^session=[A-Za-z0-9_-]{43}\.[A-Za-z0-9_-]{43}$/)
  const token = { sid, id: idOf(sid), payload: undefined, stale: false }
  t.deepEqual(subject.read(header, [secret]), [token])
  t.deepEqual(subject.read(`a=1;${header};b=2`, [secret]), [token])
  t.deepEqual(subject.read(undefined, [secret]), [])
  const carrying = cookieOf({ carriesRecord: true })
  t.deepEqual(carrying.read(issue(carrying, [secret], 'YWJj', sid), [secret]), [{ ...token, payload: 'YWJj' }])
  const unsigned = cookieOf({ signed: false })
  t.deepEqual(unsigned.read(`session=${sid}`, undefined), [token])
})

test('an arbitrary header is no session and causes no error', (t) => {
  const cookies = [cookieOf(), cookieOf({ carriesRecord: true }), cookieOf({ name: 'a' }), cookieOf({ name: '$' })]
  const header = fc.array(fc.oneof(noise, fc.tuple(fc.constantFrom('session=', 'a=', '$=', ' session ='), fc.oneof(noise, forged)).map((parts) => parts.join(''))), { maxLength: 12 })
  fc.assert(
    fc.property(header, (parts) => {
      for (const subject of cookies) {
        t.deepEqual(subject.read(parts.join(';'), [secret]), [])
        t.is(typeof subject.isIn(parts.join(';')), 'boolean')
      }
    }),
    { numRuns: 1000 }
  )
})

for (const [what, payload] of [['sid', undefined], ['record', Buffer.from('{"rev":1}').toString('base64url')]] as const) {
  test(`a signed ${what} that was changed in any position is invalid`, (t) => {
    const subject = cookieOf({ carriesRecord: payload !== undefined })
    const value = issue(subject, [secret], payload).slice('session='.length)
    fc.assert(
      fc.property(edits, (edit) => {
        const changed = edit(value)
        // An edit that leaves the value whole between semicolons has forged nothing.
        fc.pre(!changed.split(';').some((part) => isWhole(part, value)))
        t.deepEqual(subject.read(`session=${changed}`, [secret]), [])
      }),
      { numRuns: 2000 }
    )
    t.is(subject.read(`session=${value}`, [secret]).length, 1)
  })

  test(`every truncation and every changed bit makes a signed ${what} invalid`, (t) => {
    const subject = cookieOf({ carriesRecord: payload !== undefined })
    const value = issue(subject, [secret], payload).slice('session='.length)
    const bytes = Buffer.from(value, 'latin1')
    for (let at = 0; at < bytes.length; at++) {
      t.deepEqual(subject.read(`session=${value.slice(0, at)}`, [secret]), [])
      t.deepEqual(subject.read(`session=${value.slice(at + 1)}`, [secret]), [])
      for (let bit = 0; bit < 8; bit++) {
        const flipped = Buffer.from(bytes)
        flipped[at]! ^= 1 << bit
        t.deepEqual(subject.read(`session=${flipped.toString('latin1')}`, [secret]), [], `bit ${bit} of byte ${at}`)
      }
    }
  })
}

test('a cookie is invalid under another name, with other keys or for another kind of store', (t) => {
  const header = issue(cookieOf())
  const other = header.replace('session=', 'other=')
  t.deepEqual(cookieOf({ name: 'other' }).read(other, [secret]), [])
  t.deepEqual(cookieOf().read(header, [newer]), [])
  t.deepEqual(cookieOf({ carriesRecord: true }).read(header, [secret]), [])
  t.deepEqual(cookieOf({ signed: false }).read(header, undefined), [])
  const carried = issue(cookieOf({ carriesRecord: true }), [secret], 'YWJj')
  t.deepEqual(cookieOf().read(carried, [secret]), [])
})

test('of up to eight cookies of the name every distinct one that verifies is read, of nine none', (t) => {
  const subject = cookieOf()
  const [one, two] = [1, 2].map(() => issue(subject)) as [string, string]
  const item = fc.oneof(fc.constantFrom(one, two), forged.map((value) => `session=${value}`), noise.filter((text) => !text.includes(';')).map((text) => `other=${text}`))
  fc.assert(
    fc.property(fc.array(item, { maxLength: 14 }), (items) => {
      const ours = items.filter((each) => each.startsWith('session='))
      const expected = ours.length > 8 ? [] : [...new Set(ours)].filter((each) => each === one || each === two)
      const found = subject.read(items.join('; '), [secret]).map(({ sid }) => sid)
      t.deepEqual(found, expected.map((each) => each.slice('session='.length).split('.')[0]!))
    }),
    { numRuns: 500 }
  )
})

test('nine cookies of the name, also of one value, are an event and no session', (t) => {
  const subject = cookieOf()
  const header = issue(subject)
  t.is(subject.read(Array(8).fill(header).join('; '), [secret]).length, 1)
  const events = recordEvents(t)
  t.deepEqual(subject.read(Array(9).fill(header).join('; '), [secret]), [])
  t.deepEqual(events, [{ type: 'invalid-cookie', id: undefined, reason: 'too-many' }])
})

test('before any keys are in use, no signed token verifies', (t) => {
  const signer = new TokenSigner('session', true, false)
  t.is(signer.verify(`${createSid()}.${'A'.repeat(43)}`), undefined)
  t.is(signer.verify(issue(cookieOf()).slice('session='.length)), undefined)
})

test('an invalid cookie is an event that says whether its form or its signature is wrong', (t) => {
  const subject = cookieOf()
  const events = recordEvents(t)
  subject.read('session=x', [secret])
  subject.read(`session=${'A'.repeat(43)}.${'B'.repeat(43)}`, [secret])
  t.deepEqual(events.map((event) => 'reason' in event && event.reason), ['malformed', 'signature'])
})

test('two cookies of one session, by an older and by the newest key, are one token by the newest key', (t) => {
  const subject = cookieOf()
  const sid = createSid()
  const [old, fresh] = [secret, newer].map((key) => issue(subject, [key], undefined, sid)) as [string, string]
  for (const header of [`${old}; ${fresh}`, `${fresh}; ${old}`]) {
    t.deepEqual(subject.read(header, [newer, secret]).map(({ stale }) => stale), [false])
  }
  const carrying = cookieOf({ carriesRecord: true })
  const [one, other] = ['YWJj', 'YWJk'].map((payload) => issue(carrying, [secret], payload, sid)) as [string, string]
  t.deepEqual(carrying.read(`${one}; ${other}`, [secret]).map(({ payload }) => payload), ['YWJj', 'YWJk'])
})

test('isIn and isTwiceIn count cookies of exactly this name', (t) => {
  const subject = cookieOf()
  const cases: [string | undefined, boolean, boolean][] = [
    [undefined, false, false], ['', false, false], ['session', false, false], ['xsession=1; session2=2; Session=3', false, false],
    ['a=session=1', false, false], ['session=', true, false], ['a=1; session=x', true, false], ['session=x;session=x', true, true]
  ]
  for (const [header, isIn, isTwiceIn] of cases) {
    t.deepEqual([subject.isIn(header), subject.isTwiceIn(header)], [isIn, isTwiceIn], header)
  }
})

test('an oversized header is read in no time', (t) => {
  const subject = cookieOf()
  const start = process.hrtime.bigint()
  for (const text of ['session=', 'session=;', `session=${'A'.repeat(43)}.`, ' ', ';', ' session', '\tsession=', `session=${'A'.repeat(16_000)}`]) {
    t.deepEqual(subject.read(text.repeat(16_384 / text.length + 1), [secret]), [])
  }
  t.true(process.hrtime.bigint() - start < 1_000_000_000n)
})

const attributes: readonly [CookieOptions, boolean, number | undefined, string][] = [
  [{}, false, undefined, '; Path=/; HttpOnly; SameSite=Lax'],
  [{}, true, undefined, '; Path=/; HttpOnly; Secure; SameSite=Lax'],
  [{}, false, 0, '; Path=/; HttpOnly; SameSite=Lax; Expires=Thu, 01 Jan 1970 00:00:00 GMT'],
  [{ httpOnly: false, sameSite: false }, false, undefined, '; Path=/'],
  [{ secure: true }, false, undefined, '; Path=/; HttpOnly; Secure; SameSite=Lax'],
  [{ secure: false }, true, undefined, '; Path=/; HttpOnly; SameSite=Lax'],
  [{ sameSite: 'none', partitioned: true }, true, undefined, '; Path=/; HttpOnly; Secure; SameSite=None; Partitioned'],
  [{ sameSite: 'none', partitioned: true }, false, undefined, '; Path=/; HttpOnly'],
  [
    { path: '/app', domain: 'example.org', secure: true, sameSite: 'none', partitioned: true, priority: 'high' }, true, undefined,
    '; Path=/app; Domain=example.org; HttpOnly; Secure; SameSite=None; Partitioned; Priority=High'
  ]
]
for (const [cookie, secure, expires, expected] of attributes) {
  test(`${JSON.stringify({ cookie, secure, expires })} is written as${expected}`, (t) => {
    const subject = cookieOf({ cookie })
    const line = subject.write(createSid(), undefined, [secret], secure, expires)
    t.is(line.slice(line.indexOf(';')), expected)
    t.is(subject.clearingLine(secure), `session=${expected.replace(/; Expires.*/, '')}; Expires=Thu, 01 Jan 1970 00:00:00 GMT`)
  })
}

test('the cookie is cleared in each earlier scope, with its other attributes as they are', (t) => {
  const end = '; HttpOnly; Secure; SameSite=Lax; Expires=Thu, 01 Jan 1970 00:00:00 GMT'
  const subject = cookieOf({ cookie: { path: '/app', previous: [{}, { domain: 'example.org', path: '/old' }, { path: '/app', partitioned: true }] } })
  t.deepEqual(subject.previousClearingLines(true), [
    `session=; Path=/${end}`,
    `session=; Path=/old; Domain=example.org${end}`,
    `session=; Path=/app${end.replace('Lax;', 'Lax; Partitioned;')}`
  ])
  t.deepEqual(cookieOf().previousClearingLines(true), [])
})
