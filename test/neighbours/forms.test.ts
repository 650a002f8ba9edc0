import { bodyParser } from '@koa/bodyparser'
import test from 'ava'
import CSRF from 'koa-csrf'
import { memoryStore, session } from '../../src/index.js'
import { startApp, type Cleanup } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, routesOf } from '../support/story.js'

/** An application with @koa/bodyparser and koa-csrf, which keeps its secret in the session. */
async function start(t: Cleanup): Promise<Client> {
  const app = createApp()
  app.silent = true
  app.use(session({ store: memoryStore() })).use(bodyParser()).use(new CSRF())
  app.use(
    routesOf({
      '/form': (ctx) => ({ token: ctx.state['_csrf'] as string }),
      '/add': (ctx) => ({ cart: ctx.session.change('cart', (cart: unknown[] = []) => [...cart, (ctx.request.body as { item: unknown }).item]) }),
      '/login': (ctx) => ctx.session.loginAs('momo', { keep: ['cart'] }),
      '/logout': (ctx) => ctx.session.destroy()
    })
  )
  return new Client(await startApp(t, app))
}

const form = { headers: { 'content-type': 'application/x-www-form-urlencoded' } }
const tokenOf = async (client: Client) => ((await client.get('/form')).json as { token: string }).token

test('a form with the token of the session is accepted, in the body and in a header, and its fields can be stored', async (t) => {
  const client = await start(t)
  const token = await tokenOf(client)
  t.deepEqual((await client.post('/add', `_csrf=${encodeURIComponent(token)}&item=tea`, form)).json, { cart: ['tea'] })
  t.deepEqual((await client.post('/add', { item: { name: 'cup', price: 7 } }, { headers: { 'csrf-token': token } })).json, { cart: ['tea', { name: 'cup', price: 7 }] })
})

test('a form without a token, with one of another session, or sent without the cookie is 403 and changes nothing', async (t) => {
  const client = await start(t)
  const token = await tokenOf(client)
  const foreign = await tokenOf(new Client(client.origin))
  t.is((await client.post('/add', { item: 'x' })).status, 403)
  t.is((await client.post('/add', { item: 'x', _csrf: foreign })).status, 403)
  t.is((await new Client(client.origin).post('/add', { item: 'x', _csrf: token })).status, 403)
  t.deepEqual((await client.post('/add', { item: 'tea', _csrf: token })).json, { cart: ['tea'] })
})

test('a login that keeps only what it lists makes tokens from before it worthless, and a logout those of the login', async (t) => {
  const client = await start(t)
  const before = await tokenOf(client)
  t.is((await client.post('/login', { _csrf: before })).status, 204)
  t.is((await client.post('/add', { item: 'x', _csrf: before })).status, 403)
  const during = await tokenOf(client)
  t.is((await client.post('/logout', { _csrf: during })).status, 204)
  t.is((await client.post('/add', { item: 'x', _csrf: during })).status, 403)
})
