import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { redisStore, type SessionError } from '../../../src/index.js'
import type { Answer } from '../../support/client.js'
import { idOf, recordEvents } from '../../support/events.js'
import { createGate } from '../../support/gate.js'
import { startProxy } from '../../support/proxy.js'
import type { Driver } from '../../support/redis-drivers.js'
import { newest } from '../../support/redis-store.js'
import { commandCounts, needsRedis, startRedis, until, type RedisServer } from '../../support/redis.js'
import { startStory, type Options, type Routes } from '../../support/story.js'

const redisTest = needsRedis(test)

/** Every acknowledged write is on disk, so that it is there after kill -9. */
const durable = ['--appendonly', 'yes', '--appendfsync', 'always']

/** A `storeTimeout` that is soon over, for tests in which Redis does not answer. */
const soon = { storeTimeout: 2000 }

const routes: Routes = {
  '/get': (ctx) => ({ ...ctx.session }),
  '/set': (ctx) => ctx.session.set(String(ctx.query['key']), String(ctx.query['value'])),
  '/change': (ctx) => ctx.session.change<number>('count', (count) => (count ?? 0) + 1),
  '/logout': (ctx) => ctx.session.destroy()
}

for (const driver of newest) {
  const title = (guarantee: string) => `${driver.name}: ${guarantee}`

  redisTest(title('a request that reads, saves or begins a session sends one command, and one that ends it sends two'), async (t) => {
    const { server, client } = await start(t, driver)
    await client.get('/set?key=user&value=momo')
    // The script is known to the server from here on.
    await client.get('/set?key=user&value=lin')
    const counted = async (path: string, whose = client) => {
      await server.cli('CONFIG', 'RESETSTAT')
      t.true((await whose.get(path)).status < 300)
      return commandCounts(server)
    }
    t.deepEqual(await counted('/get', client.copy()), { get: 1 })
    // A request that saves has read first; what the script does inside is no command of the client's.
    t.deepEqual(await counted('/set?key=user&value=kim'), { get: 2, evalsha: 1, set: 1 })
    t.deepEqual(await counted('/change'), { get: 2, evalsha: 1, set: 1 })
    t.deepEqual(await counted('/logout'), { get: 3, evalsha: 1, del: 1, set: 1 })
    t.deepEqual(await counted('/set?key=user&value=new'), { set: 1 })
  })

  redisTest(title('an application that starts before Redis answers 503, and works once Redis is there'), async (t) => {
    const server = await startRedis()
    t.teardown(server.stop)
    await server.kill()
    const { client: redis, connecting, close } = driver.open(server.url)
    // ioredis rejects the first attempt and goes on; node-redis waits until it has come through.
    connecting.catch(() => undefined)
    t.teardown(close)
    const { client } = await startStory(t, routes, { ...soon, store: redisStore({ client: redis }) })
    isRefused(t, await client.get('/set?key=user&value=momo'))
    await server.start()
    await until('the application works', async () => (await client.get('/set?key=user&value=momo')).status === 204)
    t.deepEqual((await client.get('/get')).json, { user: 'momo' })
  })

  redisTest(title('when Redis is killed in the midst of requests, each is answered, and every acknowledged write is there afterwards'), async (t) => {
    const { server, client } = await start(t, driver, soon, ...durable)
    await until('the session is stored', async () => (await client.get('/set?key=user&value=momo')).status === 204)
    const acknowledged: string[] = []
    let isKilled = false
    const statuses = new Set<number>()
    await Promise.all(
      Array.from({ length: 8 }, async (_, writer) => {
        for (let at = 0; at < 60; at++) {
          const key = `w${writer}-${at}`
          const answer = await client.get(`/set?key=${key}&value=1`)
          statuses.add(answer.status)
          if (answer.status === 204) acknowledged.push(key)
          else isRefused(t, answer)
          if (acknowledged.length > 40 && !isKilled) {
            isKilled = true
            void server.kill()
          }
        }
      })
    )
    t.deepEqual(statuses, new Set([204, 503]))
    await server.start()
    await until('the application works again', async () => (await client.get('/get')).status === 200)
    const data = (await client.get('/get')).json as Record<string, string>
    t.deepEqual(acknowledged.filter((key) => data[key] !== '1'), [])
    t.is(data['user'], 'momo')
  })

  redisTest(title("while Redis is stopped for ten seconds every request is answered in time, and none with another session's data"), async (t) => {
    const { server, client, story } = await start(t, driver, soon)
    const browsers = await Promise.all(
      ['momo', 'lin', 'kim'].map(async (user) => {
        const browser = client.copy()
        await until('the session is stored', async () => (await browser.get(`/set?key=user&value=${user}`)).status === 204)
        return { user, browser }
      })
    )
    server.pause()
    const end = Date.now() + 10_000
    const longest: number[] = []
    try {
      await Promise.all(
        browsers.flatMap(({ browser }) =>
          ['/get', '/set?key=late&value=1', '/change', '/logout'].map(async (path) => {
            const whose = browser.copy()
            while (Date.now() < end) {
              const from = performance.now()
              const answer = await whose.get(path)
              longest.push(performance.now() - from)
              isRefused(t, answer)
              await delay(100)
            }
          })
        )
      )
    } finally {
      server.resume()
    }
    // A busy machine may be late, but nobody waits for Redis to go on.
    t.true(Math.max(...longest) < 9000, `the longest took ${Math.max(...longest)} ms`)
    await until('the application works again', async () => (await client.copy().get('/set?key=a&value=1')).status === 204)
    for (const { user, browser } of browsers) {
      await until('the session is read', async () => (await browser.get('/get')).status === 200)
      t.is(((await browser.get('/get')).json as { user: string }).user, user)
    }
    t.true(story.errors.every((error) => (error as SessionError).code.startsWith('ERR_SESSION_')))
  })

  redisTest(title('a write that arrives late, after its request has failed, overwrites nothing newer'), async (t) => {
    const server = await startRedis()
    t.teardown(server.stop)
    const proxy = await startProxy(t, server.port)
    const [slow, quick] = [await driver.connect(`redis://127.0.0.1:${proxy.port}`), await driver.connect(server.url)]
    t.teardown(slow.close)
    t.teardown(quick.close)
    const gate = createGate()
    const held: Routes = {
      ...routes,
      '/set-held': async (ctx) => {
        ctx.session.set('a', 'late')
        await gate.pass()
      }
    }
    const one = await startStory(t, held, { store: redisStore({ client: slow.client }), storeTimeout: 5000 })
    const other = await startStory(t, routes, { store: redisStore({ client: quick.client }) })
    await one.client.get('/set?key=a&value=first')
    await one.client.get('/set?key=a&value=second')
    const elsewhere = one.client.at(other.origin)
    const writing = one.client.get('/set-held')
    await gate.reached()
    proxy.hold()
    gate.open()
    isRefused(t, await writing)
    t.true(proxy.held > 0, 'the write is on its way')
    t.is((await elsewhere.get('/set?key=a&value=newer')).status, 204)
    const stored = await other.record(elsewhere)
    await server.cli('CONFIG', 'RESETSTAT')
    proxy.release()
    await until('the late write has come', async () => (await commandCounts(server))['evalsha'] === 1)
    t.deepEqual(await other.record(elsewhere), stored)
    t.deepEqual((await elsewhere.get('/get')).json, { a: 'newer' })
  })

  redisTest(title('a logged-out session stays logged out when an earlier write arrives late'), async (t) => {
    const server = await startRedis()
    t.teardown(server.stop)
    const proxy = await startProxy(t, server.port)
    const [slow, quick] = [await driver.connect(`redis://127.0.0.1:${proxy.port}`), await driver.connect(server.url)]
    t.teardown(slow.close)
    t.teardown(quick.close)
    const store = redisStore({ client: slow.client })
    const one = await startStory(t, routes, { store })
    const other = await startStory(t, routes, { store: redisStore({ client: quick.client }) })
    await one.client.get('/set?key=a&value=1')
    const record = (await one.record())!
    const scoped = store.scope!({ prefix: 'session:', now: one.time.now, largest: 10_000 })
    await scoped.update(record.id, (current) => current)
    const seen = (await scoped.read(record.id))!
    proxy.hold()
    const late = scoped.update(record.id, (current) => current, seen)
    await until('the write is on its way', () => proxy.held > 0)
    t.is((await one.client.copy().at(other.origin).get('/logout')).status, 204)
    proxy.release()
    t.is(await late, undefined)
    t.deepEqual((await one.client.copy().at(other.origin).get('/get')).json, {})
  })

  redisTest(title('CLIENT PAUSE causes a 503 in time, and no failure afterwards'), async (t) => {
    const { server, client } = await start(t, driver, soon)
    await until('the session is stored', async () => (await client.get('/set?key=user&value=momo')).status === 204)
    // While it lasts, Redis does not even answer CLIENT UNPAUSE.
    await server.cli('CLIENT', 'PAUSE', '10000')
    const from = performance.now()
    isRefused(t, await client.get('/get'))
    t.true(performance.now() - from < 10_000)
    await until('the pause is over', async () => (await client.get('/get')).status === 200)
    t.deepEqual((await client.get('/get')).json, { user: 'momo' })
  })

  redisTest(title('a full Redis refuses saves and new sessions with 503, and reads and logouts still succeed'), async (t) => {
    const { server, client, story } = await start(t, driver)
    await client.get('/set?key=user&value=momo')
    await server.cli('CONFIG', 'SET', 'maxmemory', '1mb')
    isRefused(t, await client.get('/set?key=user&value=lin'))
    isRefused(t, await client.at(client.origin).copy().get('/set?key=user&value=lin'))
    t.regex(story.errors[0]!.message, /OOM.*raise maxmemory/)
    t.deepEqual((await client.get('/get')).json, { user: 'momo' })
    const thief = client.copy()
    const { status, setCookie } = await client.get('/logout')
    t.is(status, 204)
    t.regex(setCookie[0]!, /^session=;/)
    t.deepEqual((await thief.get('/get')).json, {})
  })

  redisTest(title('when Redis takes no more connections, an application that starts answers 503 until there is one, and those that are connected work'), async (t) => {
    const { server, client } = await start(t, driver)
    await client.get('/set?key=user&value=momo')
    // The application's connection, and the one for this command.
    await server.cli('CONFIG', 'SET', 'maxclients', '2')
    const taken = connect(server.port, '127.0.0.1')
    t.teardown(() => taken.destroy())
    await once(taken, 'connect')
    taken.write('PING\r\n')
    await once(taken, 'data')
    const { client: redis, connecting, close } = driver.open(server.url)
    connecting.catch(() => undefined)
    t.teardown(close)
    const late = await startStory(t, routes, { ...soon, store: redisStore({ client: redis }) })
    isRefused(t, await late.client.get('/set?key=user&value=lin'))
    isRefused(t, await client.copy().at(late.origin).get('/get'))
    // Redis refuses the connection with the reason, which the drivers do not pass on to commands.
    t.regex(late.errors[0]!.message, /cannot reach Redis at 127/)
    t.deepEqual((await client.get('/get')).json, { user: 'momo' })
    taken.destroy()
    await until('the application works', async () => (await late.client.get('/set?key=user&value=lin')).status === 204)
    t.deepEqual((await late.client.get('/get')).json, { user: 'lin' })
    t.is((await client.at(late.origin).get('/logout')).status, 204)
    t.deepEqual((await client.get('/get')).json, {})
  })

  redisTest(title('a session that is evicted during a request does not come back, and no cookie is sent or cleared'), async (t) => {
    const gate = createGate()
    const { server, client } = await start(t, driver)
    const { client: other } = await startStory(t, {
      ...routes,
      '/slow': async (ctx) => {
        ctx.session['cart'] = ['tea']
        await gate.pass()
      }
    }, { store: redisStore({ client: (await connected(t, driver, server)).client }) })
    await client.get('/set?key=user&value=momo')
    const tab = client.copy().at(other.origin)
    const slow = tab.get('/slow')
    await gate.reached()
    await server.cli('FLUSHALL')
    gate.open()
    const { status, setCookie } = await slow
    t.is(status, 204)
    t.deepEqual(setCookie, [])
    t.is(await server.cli('DBSIZE'), '0\n')
  })

  redisTest(title('a replica, or a server that wants a password, is a 503 and never an empty session'), async (t) => {
    const { server, client, story } = await start(t, driver)
    await client.get('/set?key=user&value=momo')
    await server.cli('REPLICAOF', '127.0.0.1', '1')
    isRefused(t, await client.get('/set?key=user&value=lin'))
    t.regex(story.errors.at(-1)!.message, /READONLY.*connect to the master/)
    t.deepEqual((await client.get('/get')).json, { user: 'momo' })
    await server.cli('REPLICAOF', 'NO', 'ONE')
    // The connections that are open stay so; those that are made anew are asked.
    await server.cli('CONFIG', 'SET', 'requirepass', 'pw')
    await server.cli('-a', 'pw', '--no-auth-warning', 'CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
    await until('the client is asked for a password', async () => (await client.get('/get')).status === 503)
    isRefused(t, await client.get('/get'))
  })

  redisTest(title('with garbage or another type under the key, its client has no session and keeps its cookie'), async (t) => {
    const events = recordEvents(t)
    const { server, client } = await start(t, driver)
    for (const spoil of [(key: string) => ['SET', key, 'garbage'], (key: string) => ['RPUSH', key, 'one']]) {
      const browser = client.copy()
      await browser.get('/set?key=user&value=momo')
      const id = idOf(browser.cookie('session')!)
      await server.cli('DEL', `session:${id}`)
      await server.cli(...spoil(`session:${id}`))
      const { status, json, setCookie } = await browser.get('/get')
      t.is(status, 200)
      t.deepEqual(json, {})
      t.deepEqual(setCookie, [])
      t.true(events.some((event) => event.type === 'corrupt' && event.id === id))
      t.is((await browser.get('/set?key=user&value=lin')).status, 204)
      t.not(idOf(browser.cookie('session')!), id, 'a session that begins has a sid of its own')
      t.deepEqual((await browser.get('/get')).json, { user: 'lin' })
    }
  })
}

async function start(t: ExecutionContext, driver: Driver, options: Options = {}, ...args: string[]) {
  const server = await startRedis(...args)
  t.teardown(server.stop)
  const { client } = await connected(t, driver, server)
  const story = await startStory(t, routes, { ...options, store: redisStore({ client }) })
  return { server, story, client: story.client }
}

async function connected(t: ExecutionContext, driver: Driver, server: RedisServer) {
  const opened = await driver.connect(server.url)
  t.teardown(opened.close)
  return opened
}

/** The store failed: 503, and whatever cookie the client has stays as it is. */
function isRefused(t: ExecutionContext, { status, setCookie, text }: Answer): void {
  if (status === 503 && setCookie.length === 0 && text === 'Service Unavailable') return
  t.deepEqual({ status, setCookie, text }, { status: 503, setCookie: [], text: 'Service Unavailable' })
}
