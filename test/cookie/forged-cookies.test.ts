import test from 'ava'
import * as fc from 'fast-check'
import type { Context } from 'koa'
import { idOf } from '../../src/cookie/index.js'
import { cookieStore, session } from '../../src/index.js'
import { sessionCookie } from '../../src/testing/index.js'
import { startApp } from '../support/app.js'
import { sendRawCookie } from '../support/raw.js'
import { createApp, routesOf, startStory } from '../support/story.js'
import { base64url, edits, forged, noise, piece, secret } from './subjects.js'

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
      const { status, body, head } = await sendRawCookie(origin, header)
      t.is(status, 200)
      t.is(body, '{"data":{},"isNew":true}')
      t.false(/set-cookie/i.test(head))
      t.is(store.said, '')
    }),
    { numRuns: 300 }
  )
  t.deepEqual(errors, [])
  t.is((await sendRawCookie(origin, valid)).body, '{"data":{"user":"momo"},"isNew":false}')
  t.is(store.said, 'read')
})

test('without signatures every cookie of the right form is looked up and no other, and none is adopted', async (t) => {
  const { origin, store, errors } = await startStory(t, { '/': visit }, { signed: false })
  await fc.assert(
    fc.asyncProperty(fc.oneof(noise, piece(43), piece(42), piece(44)), async (value) => {
      store.calls.length = 0
      const { status, body } = await sendRawCookie(origin, `session=${value}`)
      t.is(status, 200)
      t.is(body, '{"data":{},"isNew":true}')
      const parts = `session=${value}`.split(';').map((part) => part.replace(/^[ \t]+|[ \t]+$/g, ''))
      const wanted = parts.map((part) => /^session="?([A-Za-z0-9_-]{43})"?$/.exec(part)?.[1]).filter((sid) => sid !== undefined)
      t.deepEqual(store.calls, [...new Set(wanted)].map((sid) => ({ method: 'read', id: idOf(sid) })))
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
      const { status, body } = await sendRawCookie(origin, `session=${bad}`)
      t.is(status, 200)
      t.is(body, '{"data":{},"isNew":true}')
    }),
    { numRuns: 200 }
  )
  t.deepEqual(errors, [])
  t.is((await sendRawCookie(origin, valid)).body, '{"data":{"user":"momo"},"isNew":false}')
})
