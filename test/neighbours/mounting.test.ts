import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import Koa from 'koa'
import mount from 'koa-mount'
import ratelimit from 'koa-ratelimit'
import serve from 'koa-static'
import { memoryStore, session } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, routesOf } from '../support/story.js'

const count = routesOf({ '/': (ctx) => ({ n: ctx.session.increment('n') }) })

test('an application that is mounted with koa-mount has its own sessions, with the keys of the outer one', async (t) => {
  const shop = new Koa()
  shop.use(session({ store: memoryStore(), cookie: { path: '/shop' } })).use(count)
  const admin = new Koa()
  admin.use(session({ store: memoryStore(), name: 'admin', cookie: { path: '/admin' } })).use(count)
  const app = createApp()
  app.use(mount('/shop', shop)).use(mount('/admin', admin))
  const client = new Client(await startApp(t, app))
  for (const n of [1, 2]) t.deepEqual((await client.get('/shop')).json, { n })
  t.deepEqual((await client.get('/admin')).json, { n: 1 })
  t.deepEqual(client.cookies.map(({ name, path }) => [name, path]), [['session', '/shop'], ['admin', '/admin']])
  t.is((await client.get('/')).status, 404)
})

test('an application that is mounted twice, and within one that has the same session(), gives a request one session', async (t) => {
  const sessions = session({ store: memoryStore() })
  const inner = new Koa()
  inner.use(sessions).use(count)
  const app = createApp()
  app.use(sessions).use(mount('/a', inner)).use(mount('/b', inner))
  const client = new Client(await startApp(t, app))
  t.deepEqual((await client.get('/a')).json, { n: 1 })
  t.deepEqual((await client.get('/b')).json, { n: 2 })
})

test('a file of koa-static costs no store call, gets no cookie and stays cacheable, also after session()', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'keepsake-static-'))
  t.teardown(() => rmSync(dir, { recursive: true }))
  writeFileSync(join(dir, 'style.css'), 'body { color: teal }')
  const app = createApp()
  app.use(session({ store: memoryStore(), permanent: true, touchAfter: 0 })).use(serve(dir, { maxage: 60_000 })).use(count)
  const client = new Client(await startApp(t, app))
  await client.get('/')
  const file = await client.get('/style.css')
  t.is(file.text, 'body { color: teal }')
  t.deepEqual([file.setCookie, file.headers.vary, file.headers['cache-control']], [[], undefined, 'max-age=60'])
})

test('koa-ratelimit limits each user by the owner of the session, and a refused request keeps the session', async (t) => {
  const app = createApp()
  app.silent = true
  app.use(session({ store: memoryStore() }))
  app.use(async (ctx, next) => {
    if (ctx.path === '/login') return void (await ctx.session.loginAs(String(ctx.query['user'])).then(() => (ctx.status = 204)))
    return next()
  })
  app.use(ratelimit({ driver: 'memory', db: new Map(), max: 2, duration: 600_000, id: (ctx) => ctx.session.owner ?? ctx.ip, throw: true }))
  app.use(count)
  const momo = new Client(await startApp(t, app))
  const lin = new Client(momo.origin)
  await momo.get('/login?user=momo')
  await lin.get('/login?user=lin')
  const statuses: number[] = []
  for (const client of [momo, momo, momo, lin]) statuses.push((await client.get('/')).status)
  t.deepEqual(statuses, [200, 200, 429, 200])
  const second = momo.copy()
  t.is((await second.get('/')).status, 429, 'another device of the user shares the limit')
  await momo.get('/login?user=other')
  t.deepEqual((await momo.get('/')).json, { n: 1 }, 'a login of another user starts without the data of the first')
})
