import test from 'ava'
import Koa, { type Context } from 'koa'
import { memoryStore, session } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { routesOf, startStory } from '../support/story.js'

const routes = {
  '/set': (ctx: Context) => void (ctx.session.user = 'momo'),
  '/get': (ctx: Context) => ({ user: ctx.session.user })
}

test('signed: false: the cookie is the bare sid, and no keys are needed', async (t) => {
  const app = new Koa()
  app.use(session({ store: memoryStore(), signed: false }))
  app.use(routesOf(routes))
  const client = new Client(await startApp(t, app))
  await client.get('/set')
  t.regex(client.cookie('session')!, /^[\w-]{43}$/)
  t.deepEqual((await client.get('/get')).json, { user: 'momo' })
})

test('signed: false: a sid that a client made up is never adopted', async (t) => {
  const { client, record } = await startStory(t, routes, { signed: false })
  const made = 'A'.repeat(43)
  client.keep(`session=${made}; Path=/`)
  t.deepEqual((await client.get('/get')).json, {})
  await client.get('/set')
  t.not(client.cookie('session'), made)
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('signed: false: a cookie that is not a sid costs no store call', async (t) => {
  const { client, store } = await startStory(t, routes, { signed: false })
  for (const value of ['', 'x', 'A'.repeat(42), 'A'.repeat(44), `${'A'.repeat(42)}!`, '../../etc/passwd', `${'A'.repeat(43)}.x`]) {
    t.deepEqual((await client.get('/get', { headers: { cookie: `session=${value}` } })).json, {})
  }
  t.is(store.said, '')
})

test('signed: a signed sid without a live record is never adopted either', async (t) => {
  const { client, store } = await startStory(t, routes)
  await client.get('/set')
  const old = client.cookie('session')
  const { id } = store.calls[0]!
  await store.destroy(id)
  await client.get('/set')
  t.not(client.cookie('session'), old)
})
