import test from 'ava'
import type { Context } from 'koa'
import { memoryStore, session } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, hour, minute, routesOf, startStory } from '../support/story.js'
import { recordWarnings } from '../support/warnings.js'

// Each warning is given once for a process, so each is the subject of one test here.

const written = () => new Promise((resolve) => void setImmediate(resolve))

test('a lifetime under a minute warns once for each way to set it, because Flask counts seconds', async (t) => {
  const warnings = recordWarnings(t, /under a minute/)
  const { client } = await startStory(t, {
    '/': async (ctx) => {
      ctx.session.lifetime = 3600
      ctx.session.lifetime = 3601
      await ctx.session.loginAs('momo', { lifetime: 3600 })
      ctx.session.lifetime = minute
      await ctx.session.loginAs('momo', { lifetime: minute })
    }
  }, { lifetime: 3600, absoluteLifetime: 3600 })
  session({ store: memoryStore(), lifetime: 3600 })
  session({ store: memoryStore(), lifetime: minute })
  await client.get('/')
  await written()
  t.deepEqual(warnings.map((text) => /^(.*?) (?:is|are) /.exec(text)![1]), ['the option lifetime', 'the option absoluteLifetime', 'ctx.session.lifetime', 'the lifetime of ctx.session.loginAs()'])
  for (const text of warnings) t.regex(text, /milliseconds.*seconds/)
})

test('X-Forwarded-Proto: https without app.proxy warns once, and the header changes nothing else', async (t) => {
  const warnings = recordWarnings(t, /X-Forwarded-Proto/)
  const start = async (cookie: { secure?: boolean | 'auto' }, proxy = false) => {
    const story = await startStory(t, { '/': (ctx) => ctx.session.set('user', 'momo') }, { cookie })
    story.app.proxy = proxy
    return story.client
  }
  const headers = { 'x-forwarded-proto': 'https, http', host: 'www.example.test' }
  await (await start({ secure: true })).get('/', { headers })
  await (await start({ secure: false })).get('/', { headers })
  await (await start({}, true)).get('/', { headers })
  await (await start({})).get('/', { headers: { 'x-forwarded-proto': 'http' } })
  await written()
  t.deepEqual(warnings, [])
  for (let n = 0; n < 2; n++) {
    const { setCookie } = await (await start({})).get('/', { headers })
    t.notRegex(setCookie[0]!, /Secure/)
  }
  await written()
  t.is(warnings.length, 1)
  t.regex(warnings[0]!, /app\.proxy = true/)
})

test('reading ctx.session before session() has run gives undefined and warns once; a request that skip selects is no mistake', async (t) => {
  const warnings = recordWarnings(t, /has not run/)
  const app = createApp()
  const seen: unknown[] = []
  app.use((ctx, next) => {
    if (ctx.path === '/early') seen.push(ctx.session)
    return next()
  })
  app.use(session({ store: memoryStore(), skip: (ctx) => ctx.path === '/skipped' }))
  app.use(routesOf({ '/': (ctx) => ({ user: ctx.session.get('user') ?? null }), '/skipped': (ctx: Context) => ({ session: typeof (ctx.session as unknown) }), '/early': () => 'early' }))
  const client = new Client(await startApp(t, app))
  await client.get('/')
  t.deepEqual((await client.get('/skipped')).json, { session: 'undefined' })
  t.is((app.context as { session?: unknown }).session, undefined)
  await written()
  t.deepEqual(warnings, [])
  for (let n = 0; n < 2; n++) await client.get('/early')
  await written()
  t.deepEqual(seen, [undefined, undefined])
  t.is(warnings.length, 1)
  t.regex(warnings[0]!, /mount session\(\) before/)
})

test('an asynchronous function of change() is a TypeError that says to return the new value, and its own failure does not end the process', async (t) => {
  const unhandled: unknown[] = []
  const listener = (error: unknown) => void unhandled.push(error)
  process.on('unhandledRejection', listener)
  t.teardown(() => process.off('unhandledRejection', listener))
  const { client, record } = await startStory(t, {
    '/set': (ctx) => ctx.session.set('n', 1),
    '/': (ctx) => {
      for (const fn of [async () => undefined, async () => 2, async () => { throw new Error('the database is away') }]) {
        t.throws(() => ctx.session.change('n', fn as () => never), { instanceOf: TypeError, message: /returned a promise: it must be synchronous and return the new value/ })
      }
      for (const fn of [() => undefined, (n: number) => void (n + 1)]) {
        t.throws(() => ctx.session.change('n', fn as () => never), { instanceOf: TypeError, message: /returned undefined: return the new value/ })
      }
    }
  })
  await client.get('/set')
  t.is((await client.get('/')).status, 204)
  t.deepEqual((await record())?.data, { n: 1 })
  await written()
  t.deepEqual(unhandled, [])
})

test('a skip whose promise fails is a TypeError, and does not end the process', async (t) => {
  const unhandled: unknown[] = []
  const listener = (error: unknown) => void unhandled.push(error)
  process.on('unhandledRejection', listener)
  t.teardown(() => process.off('unhandledRejection', listener))
  const skip = (() => Promise.reject(new Error('the database is away'))) as unknown as () => boolean
  const { client, errors } = await startStory(t, { '/': () => 'fine' }, { skip, lifetime: hour })
  t.is((await client.get('/')).status, 500)
  t.regex(errors[0]!.message, /skip must return true or false/)
  await written()
  t.deepEqual(unhandled, [])
})
