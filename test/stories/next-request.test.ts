import test from 'ava'
import type { Context } from 'koa'
import { Client, readSetCookie } from '../support/client.js'
import { startStory } from '../support/story.js'

const routes = {
  '/set': (ctx: Context) => {
    ctx.session.user = 'momo'
    ctx.session.set('cart', ['tea'])
  },
  '/get': (ctx: Context) => ({ user: ctx.session.user, cart: ctx.session.get('cart'), isNew: ctx.session.isNew })
}

test('the next request of a client gets the values that the last one set', async (t) => {
  const { client } = await startStory(t, routes)
  await client.get('/set')
  const { json } = await client.get('/get')
  t.deepEqual(json, { user: 'momo', cart: ['tea'], isNew: false })
})

test('a client gets nothing of another one\'s session', async (t) => {
  const { client, origin } = await startStory(t, routes)
  await client.get('/set')
  const { json } = await new Client(origin).get('/get')
  t.deepEqual(json, { isNew: true })
})

test('a new session is one create, and its cookie is one Set-Cookie with the default attributes', async (t) => {
  const { client, store } = await startStory(t, routes)
  const { setCookie } = await client.get('/set')
  t.is(store.said, 'create')
  t.is(setCookie.length, 1)
  const { value, ...attributes } = readSetCookie(setCookie[0]!)
  t.regex(String(value), /^[\w-]{43}\.[\w-]{43}$/)
  t.deepEqual(attributes, { name: 'session', path: '/', httponly: true, samesite: 'Lax' })
})

test('a request that reads makes one read, and one that writes makes one read and one update', async (t) => {
  const { client, store } = await startStory(t, { ...routes, '/change': (ctx) => void (ctx.session.user = 'lin') })
  await client.get('/set')
  store.calls.length = 0
  await client.get('/get')
  t.is(store.said, 'read')
  await client.get('/change')
  t.is(store.said, 'read read update')
})

test('only the cookie contains the sid: the store gets its SHA-256', async (t) => {
  const { client, store, record } = await startStory(t, routes)
  await client.get('/set')
  const [sid] = client.cookie('session')!.split('.')
  const stored = await record()
  t.regex(stored!.id, /^[0-9a-f]{64}$/)
  t.false(JSON.stringify([stored, store.calls]).includes(sid!))
})

test('setting a key to its present value writes nothing', async (t) => {
  const { client, store } = await startStory(t, routes)
  await client.get('/set')
  store.calls.length = 0
  const { setCookie } = await client.get('/set')
  t.is(store.said, 'read')
  t.deepEqual(setCookie, [])
})

test('every new session has a sid of its own', async (t) => {
  const { client, origin } = await startStory(t, routes)
  const clients = Array.from({ length: 50 }, () => new Client(origin))
  await Promise.all(clients.map((each) => each.get('/set')))
  t.is(new Set(clients.map((each) => each.cookie('session'))).size, 50)
  t.is(client.cookie('session'), undefined)
})
