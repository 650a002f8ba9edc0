import { readFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import test from 'ava'
import Koa from 'koa'
import { memoryStore, session } from '../src/index.js'
import { startApp } from './support/app.js'
import { Client } from './support/client.js'

// Koa 2, under another name beside the newest; its types are those of Koa 3.
const Koa2 = createRequire(import.meta.url)('koa2') as typeof Koa

test('Koa 2 has the same sessions: kept, counted on a 401, renewed, destroyed, cookie and Vary on an error', async (t) => {
  const app = new Koa2()
  app.silent = true
  app.keys = ['a secret of this test that is long enough']
  app.use(session({ store: memoryStore() }))
  app.use(async (ctx) => {
    if (ctx.path === '/wrong') {
      ctx.session.change('failures', (n: number = 0) => n + 1)
      ctx.throw(401)
    }
    if (ctx.path === '/login') {
      await ctx.session.regenerate()
      ctx.session.user = 'momo'
    }
    if (ctx.path === '/logout') {
      await ctx.session.destroy()
      throw new Error('after the logout')
    }
    ctx.body = ctx.session
  })
  const client = new Client(await startApp(t, app))

  const wrong = await client.get('/wrong')
  t.is(wrong.status, 401)
  t.is(wrong.headers.vary, 'Cookie')
  t.is(wrong.setCookie.length, 1)
  t.deepEqual((await client.get('/login')).json, { failures: 1, user: 'momo' })
  t.deepEqual((await client.get('/')).json, { failures: 1, user: 'momo' })
  const logout = await client.get('/logout')
  t.is(logout.status, 500)
  t.regex(logout.setCookie[0]!, /^session=;/)
  t.deepEqual((await client.get('/')).json, {})
})

for (const [name, Application, status, count] of [['Koa 2', Koa2, 404, 1], ['Koa 3', Koa, 500, null]] as const) {
  test(`${name} answers a missing file with ${status}: changes are ${count === 1 ? 'kept' : 'dropped'} as with any such status`, async (t) => {
    const app = new Application()
    app.silent = true
    app.keys = ['a secret of this test that is long enough']
    app.use(session({ store: memoryStore() }))
    app.use(async (ctx) => {
      if (ctx.path === '/file') {
        ctx.session.increment('n')
        await readFile('/no/such/file')
      }
      ctx.body = { n: ctx.session.get('n') ?? null }
    })
    const client = new Client(await startApp(t, app))
    t.is((await client.get('/file')).status, status)
    t.deepEqual((await client.get('/')).json, { n: count })
  })
}
