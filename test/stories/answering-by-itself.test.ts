import test from 'ava'
import type { Context } from 'koa'
import { cookieStore } from '../../src/index.js'
import { hour, startStory, type Options, type Routes } from '../support/story.js'

const routes: Routes = {
  '/set': (ctx: Context) => {
    ctx.session.permanent = true
    ctx.session.set('user', 'momo')
  },
  // As Next, http-proxy and server-sent events do.
  '/proxy': (ctx) => {
    ctx.respond = false
    void ctx.session.get('user')
    ctx.res.writeHead(200, { 'Content-Type': 'text/plain' })
    ctx.res.end('answered')
  },
  '/proxy-late': async (ctx) => {
    ctx.respond = false
    void ctx.session.get('user')
    await new Promise((resolve) => void setImmediate(resolve))
    ctx.res.statusCode = 200
    ctx.res.setHeader('Set-Cookie', 'theme=dark')
    ctx.res.end('answered')
  },
  '/replace': async (ctx) => {
    await ctx.session.regenerate()
    ctx.set('Set-Cookie', 'theme=dark')
    ctx.body = 'fine'
  },
  '/copy': async (ctx) => {
    await ctx.session.regenerate()
    for (const [name, value] of Object.entries({ 'Set-Cookie': ['upstream=1', 'other=2'], 'X-Upstream': '1' })) ctx.set(name, value as string)
    ctx.body = 'fine'
  },
  '/head': async (ctx) => {
    ctx.respond = false
    await ctx.session.regenerate()
    ctx.res.writeHead(200, { 'Set-Cookie': 'theme=dark', 'Content-Type': 'text/plain' })
    ctx.res.end('fine')
  },
  '/logout': async (ctx) => {
    await ctx.session.destroy()
    ctx.set('Set-Cookie', 'theme=dark')
    ctx.body = 'bye'
  },
  '/': (ctx) => ({ user: ctx.session.get('user') ?? null })
}

for (const [name, options] of [['a permanent session', {}], ['a session of cookieStore', { store: cookieStore() as unknown as NonNullable<Options['store']> }]] as const) {
  test(`${name} is refreshed when the application answers by itself (ctx.respond = false)`, async (t) => {
    const { client, time } = await startRaw(t, options)
    await client.get('/set')
    for (const path of ['/proxy', '/proxy-late', '/proxy']) {
      time.pass(20 * hour)
      const { status, text, setCookie } = await client.get(path)
      t.deepEqual([status, text], [200, 'answered'])
      t.is(setCookie.filter((line) => line.startsWith('session=')).length, 1, path)
    }
    // Without a refresh, the session would have ended after 24 hours.
    t.deepEqual((await client.get('/')).json, { user: 'momo' })
  })

  test(`the cookie of ${name} is sent even if the application has changed Set-Cookie before`, async (t) => {
    const { client } = await startRaw(t, options)
    await client.get('/set')
    for (const path of ['/replace', '/copy', '/head']) {
      const before = client.cookie('session')
      const { setCookie } = await client.get(path)
      t.is(setCookie.filter((line) => line.startsWith('session=')).length, 1, path)
      t.true(setCookie.length > 1, `${path}: the application's cookies stay`)
      t.not(client.cookie('session'), before)
      t.deepEqual((await client.get('/')).json, { user: 'momo' }, path)
    }
    await client.get('/logout')
    t.is(client.cookie('session'), undefined)
    t.is(client.cookie('theme'), 'dark')
  })
}

/** A story whose store is not watched if it is `cookieStore()`, which is not a store. */
async function startRaw(t: Parameters<typeof startStory>[0], options: Options) {
  if (!options.store) return startStory(t, routes, { lifetime: 24 * hour })
  const { createApp, createClock, routesOf } = await import('../support/story.js')
  const { session } = await import('../../src/index.js')
  const { startApp } = await import('../support/app.js')
  const { Client } = await import('../support/client.js')
  const time = createClock()
  const app = createApp()
  app.use(session({ ...options, lifetime: 24 * hour, now: time.now })).use(routesOf(routes))
  return { client: new Client(await startApp(t, app), { now: time.now }), time }
}

test('a session that is serialised after the middleware has ended still sets Vary: Cookie and moves the deadline', async (t) => {
  const { client, record, time } = await startStory(t, {
    ...routes,
    '/me': (ctx) => {
      ctx.body = { me: ctx.session }
    },
    '/permanent': (ctx) => String(ctx.session.permanent),
    '/lifetime': (ctx) => String(ctx.session.lifetime)
  })
  await client.get('/set')
  const { expires } = (await record())!
  time.pass(hour)
  const { headers, json } = await client.get('/me')
  t.deepEqual(json, { me: { user: 'momo' } })
  t.is(headers.vary, 'Cookie')
  t.is((await record())?.expires, expires + hour)
  for (const path of ['/permanent', '/lifetime']) t.is((await client.get(path)).headers.vary, 'Cookie', path)
})
