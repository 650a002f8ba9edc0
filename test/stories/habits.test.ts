import { AsyncLocalStorage } from 'node:async_hooks'
import { inspect } from 'node:util'
import test from 'ava'
import type { Context } from 'koa'
import { memoryStore, session, type SessionStore } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, hour, routesOf, startStory } from '../support/story.js'
import { recordWarnings } from '../support/warnings.js'

/** A store that makes parallel updates one after another, in the context of the first of them. */
function queueingStore(inner: SessionStore = memoryStore()): SessionStore {
  let waiting: (() => void)[] = []
  const serve = () => {
    const all = waiting
    waiting = []
    for (const each of all) each()
  }
  return {
    read: (id) => inner.read(id),
    create: (id, record) => inner.create(id, record),
    update: (id, recipe, seen) =>
      new Promise((resolve) => {
        if (waiting.length === 0) setTimeout(serve, 20)
        waiting.push(() => resolve(inner.update(id, recipe, seen)))
      }),
    destroy: (id) => inner.destroy(id),
    scope: (scope) => queueingStore(inner.scope!(scope))
  }
}

test('permanent = true on each request, as in Flask, writes once', async (t) => {
  const { client, store } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.permanent = true
      ctx.session.setDefault('user', 'momo')
    }
  })
  for (let request = 0; request < 4; request++) await client.get('/')
  t.is(store.said, 'create read read read')
})

test('a lifetime that is lowered in the options counts for idle sessions too', async (t) => {
  const store = memoryStore()
  const first = await startStory(t, { '/': (ctx) => ctx.session.set('user', 'momo') }, { store, lifetime: 24 * hour })
  await first.client.get('/')
  first.time.pass(2 * hour)
  const app = createApp()
  app.use(session({ store, lifetime: hour, now: first.time.now })).use(routesOf({ '/': (ctx) => ({ user: ctx.session.get('user') ?? null }) }))
  t.deepEqual((await first.client.at(await startApp(t, app)).get('/')).json, { user: null })
})

test('a deep merge into ctx.session does not reach Object.prototype', async (t) => {
  const merge = (target: Record<string, unknown>, source: Record<string, unknown>): void => {
    for (const key of Object.keys(source)) {
      const value = source[key]
      if (typeof value === 'object' && value !== null && typeof target[key] === 'object' && target[key] !== null) {
        merge(target[key] as Record<string, unknown>, value as Record<string, unknown>)
      } else if (typeof value === 'object' && value !== null && typeof target[key] === 'function') {
        merge(target[key] as unknown as Record<string, unknown>, value as Record<string, unknown>)
      } else target[key] = value
    }
  }
  const { client } = await startStory(t, {
    '/': (ctx) => {
      merge(ctx.session, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}') as Record<string, unknown>)
      t.is(({} as { polluted?: number }).polluted, undefined)
      return [ctx.session['__proto__'], ctx.session['constructor']]
    }
  })
  await client.get('/')
  t.is(({} as { polluted?: number }).polluted, undefined)
})

test('a session that is assigned before the middleware is the same error on the first request and later', async (t) => {
  const app = createApp()
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  app.use((ctx, next) => {
    ctx.session = { user: 'momo' }
    return next()
  })
  app.use(session({ store: memoryStore() }))
  const client = new Client(await startApp(t, app))
  for (let request = 0; request < 2; request++) t.is((await client.get('/')).status, 500)
  for (const { message } of errors) t.regex(message, /mount session\(\) before/)
  t.is(errors.length, 2)
})

test('skip and now that answer something else are refused', async (t) => {
  t.throws(() => session({ store: memoryStore(), skip: (async () => true) as unknown as () => boolean }), { instanceOf: TypeError, message: /skip/ })
  t.throws(() => session({ store: memoryStore(), now: (() => new Date()) as unknown as () => number }), { instanceOf: TypeError, message: /now/ })
  const { client, errors } = await startStory(t, { '/': () => 'fine' }, { skip: (() => Promise.resolve(true)) as unknown as () => boolean })
  t.is((await client.get('/')).status, 500)
  t.regex(errors[0]!.message, /skip must return true or false/)
})

test('looking at the context shows no sid, also with getters and hidden properties', async (t) => {
  const { client } = await startStory(t, {
    '/set': (ctx) => ctx.session.set('user', 'momo'),
    '/': (ctx: Context) => {
      const { sid } = ctx.session
      const text = inspect(ctx, { depth: 20, getters: true, showHidden: true }).replaceAll(new RegExp(`session=${sid}[^'"\\s,]*`, 'g'), 'the Cookie header')
      return { sid: typeof sid, shown: text.includes(sid!) }
    }
  })
  await client.get('/set')
  t.deepEqual((await client.get('/')).json, { sid: 'string', shown: false })
})

test('functions of change() run in the AsyncLocalStorage of their own request', async (t) => {
  const storage = new AsyncLocalStorage<string>()
  const seen: [string, string | undefined][] = []
  const { client } = await startStory(t, {
    '/set': (ctx) => ctx.session.set('n', 0),
    '/': (ctx) => {
      const name = String(ctx.query['n'])
      storage.enterWith(name)
      ctx.session.change('n', (n: number = 0) => {
        seen.push([name, storage.getStore()])
        return n + 1
      })
    }
  }, { store: queueingStore() })
  await client.get('/set')
  await Promise.all(Array.from({ length: 10 }, (_, n) => client.copy().get(`/?n=${n}`)))
  t.true(seen.length > 10, 'some functions ran again')
  for (const [name, store] of seen) t.is(store, name)
})


test('members of koa-session and express-session warn once and name the counterpart; assigning maxAge is a TypeError', async (t) => {
  const warnings = recordWarnings(t, /member of another session library/)
  const { client } = await startStory(t, {
    '/': (ctx) => {
      for (const name of ['maxAge', 'populated', 'length', 'externalKey', 'cookie', 'touch', 'manuallyCommit']) t.is(ctx.session[name], undefined)
      t.throws(() => (ctx.session['maxAge'] = 1000), { instanceOf: TypeError, message: /ctx\.session\.lifetime/ })
      ctx.session.set('cookie', { chocolate: true })
      t.deepEqual(ctx.session['cookie'], { chocolate: true })
      ctx.session.clear()
    }
  })
  for (let request = 0; request < 2; request++) await client.get('/')
  await new Promise((resolve) => void setImmediate(resolve))
  t.is(warnings.length, 7)
  t.true(warnings.some((text) => text.includes('ctx.session.maxAge') && text.includes('ctx.session.lifetime')))
})
