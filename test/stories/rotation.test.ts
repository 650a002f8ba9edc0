import test from 'ava'
import Keygrip from 'keygrip'
import type { Context } from 'koa'
import { memoryStore } from '../../src/index.js'
import { readSetCookie } from '../support/client.js'
import { startStory, type Options } from '../support/story.js'

const routes = {
  '/set': (ctx: Context) => void (ctx.session.user = 'momo'),
  '/get': (ctx: Context) => ({ user: ctx.session.user })
}
const older = 'the older key, which is longer than 32 characters'
const newer = 'the newer key, which is longer than 32 characters'

/** Two apps on one store: the second one after the keys were rotated. */
async function rotate(t: Parameters<typeof startStory>[0], options: Options = {}) {
  const store = memoryStore()
  const before = await startStory(t, routes, { ...options, store, keys: [older] })
  const after = await startStory(t, routes, { ...options, store, keys: [newer, older] })
  const { setCookie } = await before.client.get('/set')
  const client = before.client.at(after.origin)
  return { before, after, client, first: setCookie[0]! }
}

test('a cookie by an older key is accepted, and the whole cookie comes again under the newest with all its attributes', async (t) => {
  const { client, after, first } = await rotate(t, { permanent: true, cookie: { sameSite: 'strict', priority: 'high' } })
  const { json, setCookie } = await client.get('/get')
  t.deepEqual(json, { user: 'momo' })
  t.is(setCookie.length, 1)
  const { value: oldValue, ...attributes } = readSetCookie(first)
  const { value, ...again } = readSetCookie(setCookie[0]!)
  t.not(value, oldValue)
  t.is(String(value).split('.')[0], String(oldValue).split('.')[0])
  t.deepEqual(again, attributes)
  const newest = await startStory(t, routes, { store: after.store, keys: [newer] })
  t.deepEqual((await client.at(newest.origin).get('/get')).json, { user: 'momo' })
})

test('the cookie is issued again once: the next request sends none', async (t) => {
  const { client } = await rotate(t)
  t.is((await client.get('/get')).setCookie.length, 1)
  t.is((await client.get('/get')).setCookie.length, 0)
})

test('a cookie by an older key without a live record is not issued again', async (t) => {
  const { client, after } = await rotate(t)
  const { id } = (await after.record(client))!
  await after.store.destroy(id)
  const { json, setCookie } = await client.get('/get')
  t.deepEqual(json, {})
  t.deepEqual(setCookie, [])
})

test('a cookie by a key that was removed opens no session', async (t) => {
  const { client, before } = await rotate(t)
  const last = await startStory(t, routes, { store: before.store, keys: [newer] })
  const { json, setCookie } = await client.at(last.origin).get('/get')
  t.deepEqual(json, {})
  t.deepEqual(setCookie, [])
  t.is(last.store.said, '')
})

test('a cookie by an older key whose record has just expired is not issued again', async (t) => {
  const { client, after } = await rotate(t)
  after.time.pass(32 * 24 * 3600_000)
  t.deepEqual((await client.get('/get')).setCookie, [])
})

test('keys that are added to app.keys later are used from then on', async (t) => {
  const { app, client } = await startStory(t, routes)
  await client.get('/set')
  const [first] = app.keys as string[]
  app.keys = [newer, first!]
  const { json, setCookie } = await client.get('/get')
  t.deepEqual(json, { user: 'momo' })
  t.is(setCookie.length, 1)
  app.keys = [newer]
  t.deepEqual((await client.get('/get')).json, { user: 'momo' })
  app.keys = ['a third key that is also longer than 32 characters']
  t.deepEqual((await client.get('/get')).json, {})
})

test('a cookie is signed with the keys at the moment when it is sent, even if they changed during the request', async (t) => {
  const { app, client } = await startStory(t, {
    '/login': (ctx) => {
      ctx.session.user = 'momo'
      app.keys = ['another secret of more than thirty-two characters']
    },
    '/': (ctx) => ({ ...ctx.session })
  })
  await client.get('/login')
  t.deepEqual((await client.get('/')).json, { user: 'momo' })
})

test('keys may be a ready Keygrip', async (t) => {
  const { client } = await startStory(t, routes, { keys: new Keygrip([newer, older], 'sha256') })
  await client.get('/set')
  t.deepEqual((await client.get('/get')).json, { user: 'momo' })
})

test('a cookie of one name opens no session under another', async (t) => {
  const store = memoryStore()
  const one = await startStory(t, routes, { store, keys: [newer], name: 'one' })
  const two = await startStory(t, routes, { store, keys: [newer], name: 'two' })
  await one.client.get('/set')
  const cookie = `two=${one.client.cookie('one')!}`
  t.deepEqual((await two.client.get('/get', { headers: { cookie } })).json, {})
  t.is(two.store.said, '')
})
