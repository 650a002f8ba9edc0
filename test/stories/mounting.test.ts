import test from 'ava'
import { Router } from '@koa/router'
import Koa, { type Context } from 'koa'
import { memoryStore, session, type Session } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { watchStore } from '../support/store.js'
import { createApp, routesOf, startStory } from '../support/story.js'

const set = (ctx: Context) => void (ctx.session.user = 'momo')

test('a request for which skip returns true has no session, and causes no store call, no cookie and no header', async (t) => {
  const { client, store } = await startStory(
    t,
    { '/set': set, '/health': (ctx) => ({ session: typeof (ctx.session as unknown) }), '/get': (ctx) => ({ user: ctx.session.user }) },
    { skip: (ctx) => ctx.path === '/health' }
  )
  await client.get('/set')
  store.calls.length = 0
  const { json, headers, setCookie } = await client.get('/health')
  t.deepEqual(json, { session: 'undefined' })
  t.is(headers.vary, undefined)
  t.deepEqual(setCookie, [])
  t.is(store.said, '')
  t.deepEqual((await client.get('/get')).json, { user: 'momo' })
})

test('as names the property of ctx that is the session', async (t) => {
  const app = createApp()
  app.use(session({ store: memoryStore(), as: 'visit' }))
  app.use((ctx) => {
    const visit = ctx['visit']
    ctx.body = { before: visit.get('user') ?? null, session: typeof (ctx.session as unknown) }
    visit.set('user', 'momo')
  })
  const client = new Client(await startApp(t, app))
  t.deepEqual((await client.get('/')).json, { before: null, session: 'undefined' })
  t.deepEqual((await client.get('/')).json, { before: 'momo', session: 'undefined' })
})

test('two middlewares of different names on one app keep two sessions', async (t) => {
  const app = createApp()
  const store = memoryStore()
  app.use(session({ store }))
  app.use(session({ store, as: 'admin', name: 'admin', prefix: 'admin:' }))
  app.use((ctx) => {
    const admin = ctx['admin'] as Session
    ctx.body = [ctx.session.get('who') ?? null, admin.get('who') ?? null]
    ctx.session.set('who', 'user')
    admin.set('who', 'root')
  })
  const client = new Client(await startApp(t, app))
  const first = await client.get('/')
  t.is(first.setCookie.length, 2)
  t.is(first.headers.vary, 'Cookie')
  t.deepEqual((await client.get('/')).json, ['user', 'root'])
  t.not(client.cookie('session'), client.cookie('admin'))
})

test('two middlewares with the same property on one app are refused: the error names it', async (t) => {
  const app = createApp()
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  app.use(session({ store: memoryStore() }))
  app.use(session({ store: memoryStore(), name: 'other' }))
  app.use(routesOf({ '/': set }))
  const client = new Client(await startApp(t, app))
  for (const request of [0, 1]) {
    t.is((await client.get('/')).status, 500)
    t.regex(errors[request]!.message, /\bas\b.*session|session.*\bas\b/)
  }
})

test('two middlewares with one cookie name on the way of a request are refused: the error names it', async (t) => {
  const app = createApp()
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  app.use(session({ store: memoryStore() }))
  app.use(session({ store: memoryStore(), as: 'admin' }))
  app.use(routesOf({ '/': set }))
  const client = new Client(await startApp(t, app))
  const { status, setCookie } = await client.get('/')
  t.deepEqual({ status, setCookie }, { status: 500, setCookie: [] })
  t.regex(errors[0]!.message, /the cookie "session".*option name/)
})

test('a property that ctx already has is refused as the name of a session', async (t) => {
  t.throws(() => session({ store: memoryStore(), as: 'body' }), { instanceOf: TypeError, message: /as must be/ })
  const app = createApp()
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  Object.assign(app.context, { db: 1 })
  app.use(session({ store: memoryStore(), as: 'db' }))
  app.use((ctx) => void (ctx.body = 'fine'))
  const client = new Client(await startApp(t, app))
  t.is((await client.get('/')).status, 500)
  t.regex(errors[0]!.message, /this application has defined ctx\.db already.*option as/)
})

test('the same middleware mounted twice on the way of a request opens and closes the session once', async (t) => {
  const app = createApp()
  const store = watchStore(memoryStore())
  const middleware = session({ store })
  app.use(middleware)
  app.use(middleware)
  app.use(routesOf({ '/': (ctx) => void ctx.session.change('visits', (n) => ((n as number | undefined) ?? 0) + 1) }))
  const client = new Client(await startApp(t, app))
  t.is((await client.get('/')).setCookie.length, 1)
  t.is(store.said, 'create')
  await client.get('/')
  t.is(store.said, 'create read update')
})

test('mounted on a sub-router, only its routes have a session', async (t) => {
  const app = createApp()
  const inner = new Router()
  const middleware = session({ store: memoryStore() })
  inner.use(middleware)
  inner.get('/set', (ctx) => {
    ctx.session.user = 'momo'
    ctx.body = 'set'
  })
  inner.get('/get', (ctx) => {
    ctx.body = { user: ctx.session.user }
  })
  const outer = new Router()
  outer.use('/shop', inner.routes())
  outer.get('/plain', (ctx) => {
    ctx.body = { session: typeof (ctx.session as unknown) }
  })
  app.use(outer.routes())
  const client = new Client(await startApp(t, app))
  t.is((await client.get('/shop/set')).setCookie.length, 1)
  t.deepEqual((await client.get('/shop/get')).json, { user: 'momo' })
  const plain = await client.get('/plain')
  t.deepEqual(plain.json, { session: 'undefined' })
  t.is(plain.headers.vary, undefined)
})

test('mounted on the app and on a sub-router, a request has one session', async (t) => {
  const app = createApp()
  const store = watchStore(memoryStore())
  const middleware = session({ store })
  const router = new Router()
  router.get('/', middleware, (ctx) => {
    ctx.session.user = 'momo'
    ctx.body = 'set'
  })
  app.use(middleware)
  app.use(router.routes())
  const client = new Client(await startApp(t, app))
  t.is((await client.get('/')).setCookie.length, 1)
  t.is(store.said, 'create')
})

test('one middleware serves several apps', async (t) => {
  const middleware = session({ store: memoryStore() })
  const origins = await Promise.all(
    [createApp(), createApp()].map((app) => {
      app.use(middleware)
      app.use(routesOf({ '/set': set, '/get': (ctx) => ({ user: ctx.session.user }) }))
      return startApp(t, app)
    })
  )
  const client = new Client(origins[0]!)
  await client.get('/set')
  t.deepEqual((await client.at(origins[1]!).get('/get')).json, { user: 'momo' })
})

test('the middleware has a name', (t) => {
  t.truthy(session({ store: memoryStore() }).name)
})

test('where no session middleware ran, ctx.session is undefined', async (t) => {
  const app = new Koa()
  app.use((ctx) => {
    ctx.body = { session: typeof (ctx.session as unknown) }
  })
  t.deepEqual((await new Client(await startApp(t, app)).get('/')).json, { session: 'undefined' })
})
