import { createRequire } from 'node:module'
import * as util from 'node:util'
import test from 'ava'
import type Koa from 'koa'
import { memoryStore, session } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { watchStore } from '../support/store.js'
import { routesOf, secret } from '../support/story.js'

type Flash = (type?: string, message?: string) => unknown

const load = createRequire(import.meta.url)
const Koa2 = load('koa2') as typeof Koa
const flashOf = (ctx: Koa.Context) => (ctx as unknown as { flash: Flash }).flash.bind(ctx)
const flash = load('koa-connect-flash') as () => Koa.Middleware

// It calls util.isArray(), which Node removed in version 23.
const flashTest = 'isArray' in util ? test : test.skip

flashTest('koa-connect-flash keeps its messages in ctx.session.flash, and shows each once', async (t) => {
  const store = watchStore(memoryStore())
  const app = new Koa2()
  app.keys = [secret]
  // It is a generator, as middleware of Koa 1 was.
  app.use(session({ store })).use(flash())
  app.use(
    routesOf({
      '/add': (ctx) => void flashOf(ctx)('info', String(ctx.query['text'])),
      '/info': (ctx) => flashOf(ctx)('info'),
      '/all': (ctx) => flashOf(ctx)(),
      '/nothing': () => ({})
    })
  )
  const client = new Client(await startApp(t, app))
  await client.get('/add?text=saved')
  await client.get('/add?text=sent')
  t.deepEqual((await client.get('/info')).json, ['saved', 'sent'])
  t.deepEqual((await client.get('/info')).json, [])
  await client.get('/add?text=again')
  t.deepEqual((await client.get('/all')).json, { info: ['again'] })
  t.deepEqual((await client.get('/all')).json, {})
  store.calls.length = 0
  await client.get('/nothing')
  t.is(store.said, 'read', 'a request without messages writes nothing')
})
