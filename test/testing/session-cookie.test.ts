import test from 'ava'
import type { Context } from 'koa'
import { cookieStore, memoryStore, session, type SessionStore } from '../../src/index.js'
import { sessionCookie } from '../../src/testing/session-cookie.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, hour, routesOf, secret, startStory, type Options } from '../support/story.js'

const routes = {
  '/': (ctx: Context) => ({ ...(ctx.session as object), at: String(ctx.session['at']), isNew: ctx.session.isNew, permanent: ctx.session.permanent }),
  '/count': (ctx: Context) => ctx.session.change('count', (n = 0) => Number(n) + 1)
}

function withoutScopes(store: SessionStore): SessionStore {
  const copy = { ...store }
  delete copy.scope
  return copy
}

const settings: readonly [string, Options][] = [
  ['no more than a key', {}],
  ['another name', { name: '__Host-sid', cookie: { secure: true } }],
  ['another prefix', { prefix: 'shop:' }],
  ['no signature', { signed: false }],
  ['a longest life', { permanent: true, lifetime: hour, absoluteLifetime: hour / 2 }]
]
for (const [name, options] of settings) {
  test(`a client with the cookie is logged in where session() has ${name}`, async (t) => {
    const { client, origin, store, time } = await startStory(t, routes, { ...options, https: true })
    const all = { ...options, store, keys: [secret], now: time.now }
    const cookie = await sessionCookie({ user: 'momo', at: new Date(0) }, all)
    t.regex(cookie, /^[\w-]+=[\w.-]+$/)
    const { json, status } = await client.get('/', { headers: { cookie } })
    t.is(status, 200)
    t.like(json, { user: 'momo', at: String(new Date(0)), isNew: false, permanent: options.permanent ?? false })
    const other = new Client(origin, { https: true })
    t.is((await other.get('/count', { headers: { cookie } })).text, '1')
    t.is((await other.get('/count', { headers: { cookie } })).text, '2')
  })
}

test('a client with the cookie is logged in where cookies are the store', async (t) => {
  const app = createApp()
  app.use(session({ store: cookieStore() }))
  app.use(routesOf(routes))
  const client = new Client(await startApp(t, app))
  const cookie = await sessionCookie({ user: 'momo' }, { store: cookieStore(), keys: app.keys })
  t.like((await client.get('/', { headers: { cookie } })).json, { user: 'momo', isNew: false })
})

test('a store without scopes is enough', async (t) => {
  const store = withoutScopes(memoryStore())
  const { client } = await startStory(t, routes, { store, now: Date.now })
  const cookie = await sessionCookie({ user: 'momo' }, { store, keys: [secret] })
  t.like((await client.get('/', { headers: { cookie } })).json, { user: 'momo' })
})

test('each cookie is a session of its own, with any keys in its data', async (t) => {
  const store = memoryStore()
  const data = JSON.parse('{"__proto__":1,"toJSON":2}') as object
  const cookies = await Promise.all([1, 2].map(() => sessionCookie(data, { store, keys: [secret] })))
  t.is(new Set(cookies).size, 2)
  for await (const record of store.records!()) t.deepEqual(record.data, data as never)
})

test('data that cannot be stored, keys that cannot sign and wrong options are refused', async (t) => {
  const store = memoryStore()
  await t.throwsAsync(sessionCookie({ fn: () => 1 }, { store, keys: [secret] }), { code: 'ERR_SESSION_VALUE', message: /^fn: a function cannot/ })
  await t.throwsAsync(sessionCookie({}, { store, keys: [] }), { code: 'ERR_SESSION_KEYS' })
  await t.throwsAsync(sessionCookie({}, { store }), { code: 'ERR_SESSION_KEYS' })
  await t.throwsAsync(sessionCookie({}, { store, colour: 'red' } as object), { instanceOf: TypeError, message: /unknown option "colour"/ })
})
