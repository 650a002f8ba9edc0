import test from 'ava'
import * as fc from 'fast-check'
import type { Context } from 'koa'
import { startStory } from '../support/story.js'

const routes = {
  '/set': (ctx: Context) => void (ctx.session.user = 'momo'),
  '/get': (ctx: Context) => ({ user: ctx.session.user ?? null })
}

// The characters that HTTP allows in a header: no control characters except the tab.
const headerText = fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).map((code) => String.fromCharCode(code)).filter((char) => char !== '\u007f'), maxLength: 300 })
const cookieText = fc.string({ unit: fc.constantFrom(...'AZaz09-_.=;, "%+/'.split('')), maxLength: 120 })

test('no cookie a client can send makes a 5xx, a store call, or a session it was not given', async (t) => {
  const { client, store } = await startStory(t, routes)
  await client.get('/set')
  const real = client.cookie('session')!
  store.calls.length = 0
  const [sid, mac] = real.split('.') as [string, string]
  const near = fc.oneof(
    fc.nat(real.length).map((at) => real.slice(0, at)),
    fc.nat(real.length).map((at) => `${real.slice(0, at)}A${real.slice(at)}`),
    fc.tuple(fc.nat(real.length - 1), fc.constantFrom(...'AB_-.= '.split(''))).map(([at, char]) => real.slice(0, at) + char + real.slice(at + 1)),
    cookieText.map((text) => `${sid}.${text}`),
    cookieText.map((text) => `${text}.${mac}`),
    cookieText.map((text) => `${real}${text || '.'}`),
    fc.nat(7000).map((length) => 'A'.repeat(length)),
    fc.nat(7000).map((length) => `${sid}.${'A'.repeat(length)}`)
  )
  const value = fc.oneof(headerText, cookieText, near)
  const header = fc.oneof(
    headerText,
    value.map((text) => `session=${text}`),
    fc.array(value, { maxLength: 20 }).map((values) => values.map((text) => `session=${text}`).join('; '))
  )
  await fc.assert(
    fc.asyncProperty(header, async (cookie) => {
      // A header that contains the whole real cookie is valid.
      fc.pre(!cookie.split(';').some((pair) => pair.trim() === `session=${real}`))
      const { status, json, setCookie } = await client.get('/get', { headers: { cookie: cookie.slice(0, 15_000) } })
      t.is(status, 200)
      t.deepEqual(json, { user: null })
      t.deepEqual(setCookie, [])
      t.is(store.said, '')
    }),
    { numRuns: 400 }
  )
})

test('a header full of cookies is answered quickly', async (t) => {
  const { client } = await startStory(t, routes)
  const headers = { cookie: Array.from({ length: 1200 }, (_, n) => `session=${n}`).join('; ') }
  t.is((await client.get('/get', { headers })).status, 200)
})
