import test from 'ava'
import Koa from 'koa'
import koaSession from 'koa-session'
import { fileStore, memoryStore, session } from '../../src/index.js'
import { startApp, type Cleanup } from '../support/app.js'
import { Client } from '../support/client.js'
import { tempDir } from '../support/files.js'
import { createGate } from '../support/gate.js'
import { secret } from '../support/story.js'

// The table "Why not koa-session?" of README.md: the same traffic to both libraries, each on a store in memory.

const libraries = {
  'koa-session': (app: Koa) => koaSession({ store: storeOfTexts() }, app),
  'koa-keepsake': () => session({ store: memoryStore() })
}
type Name = keyof typeof libraries

/** A store for koa-session that keeps texts, as one on Redis does. */
function storeOfTexts() {
  const texts = new Map<string, string>()
  return {
    get: async (key: string): Promise<unknown> => JSON.parse(texts.get(key) ?? 'null'),
    set: async (key: string, value: unknown): Promise<void> => void texts.set(key, JSON.stringify(value)),
    destroy: async (key: string): Promise<void> => void texts.delete(key)
  }
}

async function start(t: Cleanup, middleware: (app: Koa) => Koa.Middleware): Promise<{ client: Client; slow: (path: string) => Promise<() => Promise<unknown>> }> {
  const gate = createGate()
  const app = new Koa()
  app.keys = [secret]
  app.silent = true
  app.use(middleware(app))
  app.use(async (ctx) => {
    const { session: data } = ctx
    if (ctx.path === '/read') ctx.body = data
    if (ctx.path === '/logout') ctx.session = null
    if (ctx.path === '/fail') {
      data['failures'] = 1
      ctx.throw(401)
    }
    if (ctx.path === '/date') data['at'] = new Date(0)
    if (ctx.path === '/kind') ctx.body = data['at'] instanceof Date ? 'a Date' : `a ${typeof data['at']}`
    if (ctx.path !== '/set') return
    data[String(ctx.query['key'])] = '1'
    ctx.status = 204
    if (ctx.query['slow'] === undefined) return
    await gate.pass()
  })
  const client = new Client(await startApp(t, app))
  /** Begins a request that stays in its handler until the returned function is called. */
  const slow = async (path: string) => {
    const answer = client.get(`${path}&slow=`)
    await gate.reached()
    return () => {
      gate.open()
      return answer
    }
  }
  return { client, slow }
}

for (const [name, expected] of Object.entries({ 'koa-session': ['user', 'slow'], 'koa-keepsake': ['user', 'fast', 'slow'] })) {
  test(`${name}: of two parallel requests that set different keys, ${expected.includes('fast') ? 'both stay' : 'one is lost'}`, async (t) => {
    const { client, slow } = await start(t, libraries[name as Name])
    await client.get('/set?key=user')
    const finish = await slow('/set?key=slow')
    await client.get('/set?key=fast')
    await finish()
    t.deepEqual(Object.keys((await client.get('/read')).json as object).sort(), expected.toSorted())
  })
}

for (const [name, expected] of Object.entries({ 'koa-session': { user: '1', slow: '1' }, 'koa-keepsake': {} })) {
  test(`${name}: after a logout beside a slow request, the old cookie opens ${'user' in expected ? 'the session again' : 'nothing'}`, async (t) => {
    const { client, slow } = await start(t, libraries[name as Name])
    await client.get('/set?key=user')
    const stolen = client.copy()
    const finish = await slow('/set?key=slow')
    await client.get('/logout')
    await finish()
    t.deepEqual((await stolen.get('/read')).json, expected)
  })
}

const defaults = {
  'koa-session': (app: Koa) => koaSession({}, app),
  // The default store, in a directory of the test.
  'koa-keepsake': (_app: Koa, dir: string) => session({ store: fileStore({ dir }) })
}

for (const [name, expected] of Object.entries({ 'koa-session': { user: '1' }, 'koa-keepsake': {} })) {
  test(`${name} with its default store: a cookie that was copied before the logout ${'user' in expected ? 'still works' : 'is worth nothing'}`, async (t) => {
    const dir = tempDir(t)
    const { client } = await start(t, (app) => defaults[name as Name](app, dir))
    await client.get('/set?key=user')
    const stolen = client.copy()
    await client.get('/logout')
    t.deepEqual((await stolen.get('/read')).json, expected)
  })
}

for (const [name, expected] of Object.entries({ 'koa-session': {}, 'koa-keepsake': { failures: 1 } })) {
  test(`${name}: what a visitor's first request sets is ${'failures' in expected ? 'kept' : 'lost'} when it ends with ctx.throw(401)`, async (t) => {
    const { client } = await start(t, libraries[name as Name])
    t.is((await client.get('/fail')).status, 401)
    t.deepEqual((await client.get('/read')).json, expected)
  })
}

for (const [name, expected] of Object.entries({ 'koa-session': 'a string', 'koa-keepsake': 'a Date' })) {
  test(`${name}: a Date comes back as ${expected}`, async (t) => {
    const { client } = await start(t, libraries[name as Name])
    await client.get('/date')
    t.is((await client.get('/kind')).text, expected)
  })
}
