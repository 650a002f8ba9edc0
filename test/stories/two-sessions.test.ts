import test from 'ava'
import type { Context, Next } from 'koa'
import { memoryStore, session } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, routesOf } from '../support/story.js'

declare module 'koa' {
  interface BaseContext {
    get visit(): Context['session']
  }
}

test('two sessions on one application: the response to an error has both cookies', async (t) => {
  const app = createApp()
  app.silent = true
  app.use(session({ store: memoryStore() })).use(session({ store: memoryStore(), name: 'visit', as: 'visit' }))
  app.use(
    routesOf({
      '/set': (ctx) => {
        ctx.session.set('user', 'momo')
        ctx.visit.set('seen', 1)
      },
      '/fail': async (ctx) => {
        await ctx.session.regenerate()
        await ctx.visit.regenerate()
        throw new Error('boom')
      },
      '/': (ctx) => ({ user: ctx.session.get('user'), seen: ctx.visit.get('seen') })
    })
  )
  const client = new Client(await startApp(t, app))
  t.is((await client.get('/set')).setCookie.length, 2)
  const answer = await client.get('/fail')
  t.is(answer.status, 500)
  t.is(answer.setCookie.length, 2)
  t.deepEqual((await client.get('/')).json, { user: 'momo', seen: 1 })
})

test('two parts of one application, each with its own session(), one per request, both work', async (t) => {
  const app = createApp()
  const parts = [session({ store: memoryStore() }), session({ store: memoryStore(), name: 'admin' })] as const
  app.use((ctx: Context, next: Next) => parts[ctx.path.startsWith('/admin') ? 1 : 0](ctx, next))
  app.use(routesOf({ '/': (ctx) => ({ n: ctx.session.increment('n') }), '/admin': (ctx) => ({ n: ctx.session.increment('n', 10) }) }))
  const client = new Client(await startApp(t, app))
  t.deepEqual((await client.get('/')).json, { n: 1 })
  t.deepEqual((await client.get('/admin')).json, { n: 10 })
  t.deepEqual((await client.get('/')).json, { n: 2 })
  t.deepEqual((await client.get('/admin')).json, { n: 20 })
})

test('two sessions with one property on one request are refused, and the error says what to change', async (t) => {
  const app = createApp()
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  app.use(session({ store: memoryStore() })).use(session({ store: memoryStore(), name: 'other' }))
  const client = new Client(await startApp(t, app))
  t.is((await client.get('/')).status, 500)
  t.regex(errors[0]!.message, /another session\(\) has given this request a ctx\.session already.*option as/)
})
