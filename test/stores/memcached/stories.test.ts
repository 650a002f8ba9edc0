import test, { type ExecutionContext } from 'ava'
import { session } from '../../../src/index.js'
import { memcachedStore } from '../../../src/stores/memcached/index.js'
import type { Answer } from '../../support/client.js'
import { createGate } from '../../support/gate.js'
import { commandCounts, connectMemcached, needsMemcached, startMemcached } from '../../support/memcached.js'
import { until } from '../../support/redis.js'
import { startStory, type Routes } from '../../support/story.js'

const memcachedTest = needsMemcached(test)

const routes: Routes = {
  '/get': (ctx) => ({ ...ctx.session }),
  '/set': (ctx) => ctx.session.set(String(ctx.query['key']), String(ctx.query['value'])),
  '/change': (ctx) => ctx.session.change<number>('count', (count) => (count ?? 0) + 1),
  '/login': (ctx) => ctx.session.loginAs('17'),
  '/others': (ctx) => ctx.session.endOthers(),
  '/logout': (ctx) => ctx.session.destroy()
}

/** How long a client waits in tests in which memcached does not answer, in milliseconds. */
const soon = 3000

async function start(t: ExecutionContext, more: Routes = {}, timeout?: number) {
  const server = await startMemcached(t)
  const store = memcachedStore({ client: connectMemcached(t, server.address, timeout) })
  // memcached has a clock of its own, so the middleware has the real one too.
  return { server, ...(await startStory(t, { ...routes, ...more }, { now: Date.now, store })) }
}

memcachedTest('a request that reads, saves, begins or ends a session sends the fewest commands', async (t) => {
  const { server, client } = await start(t)
  const counted = async (path: string) => {
    const before = await commandCounts(server)
    t.true((await client.get(path)).status < 300)
    const after = await commandCounts(server)
    return { gets: after.gets - before.gets, stores: after.stores - before.stores }
  }
  t.deepEqual(await counted('/set?key=user&value=momo'), { gets: 0, stores: 1 })
  t.deepEqual(await counted('/get'), { gets: 1, stores: 0 })
  t.deepEqual(await counted('/set?key=user&value=lin'), { gets: 1, stores: 1 })
  t.deepEqual(await counted('/change'), { gets: 1, stores: 1 })
  // destroy() reads the last state, so that it can answer it.
  t.deepEqual(await counted('/logout'), { gets: 2, stores: 1 })
})

memcachedTest('while memcached is stopped every request is answered with 503 in time, and the sessions are there afterwards', async (t) => {
  const { server, client } = await start(t, {}, soon)
  await client.get('/set?key=user&value=momo')
  await server.pause()
  const from = performance.now()
  const answers = await Promise.all(['/get', '/set?key=late&value=1', '/change'].map((path) => client.copy().get(path)))
  t.true(performance.now() - from < 30_000)
  for (const answer of answers) isRefused(t, answer)
  server.resume()
  await until('memcached answers again', async () => (await client.get('/get')).status === 200)
  t.is(((await client.get('/get')).json as { user: string }).user, 'momo')
})

memcachedTest('a logout that memcached does not answer is a 503, and the cookie is cleared', async (t) => {
  const gate = createGate()
  const { server, client } = await start(t, {
    '/slow-logout': async (ctx) => {
      await gate.pass()
      await ctx.session.destroy()
    }
  }, soon)
  await client.get('/set?key=user&value=momo')
  const logout = client.get('/slow-logout')
  await gate.reached()
  await server.pause()
  gate.open()
  const { status, setCookie } = await logout
  t.is(status, 503)
  t.regex(setCookie[0]!, /^session=;/)
})

memcachedTest('when memcached is killed in the midst of requests each is answered', async (t) => {
  const { server, client } = await start(t)
  await client.get('/set?key=user&value=momo')
  const statuses = new Set<number>()
  let killing: Promise<void> | undefined
  await Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      for (let at = 0; at < 40; at++) {
        const { status, setCookie } = await client.copy().get(`/set?key=w${writer}-${at}&value=1`)
        statuses.add(status)
        t.deepEqual(setCookie, [])
        if (at === 10) killing ??= server.kill()
      }
    })
  )
  await killing
  t.deepEqual(statuses, new Set([204, 503]))
})

memcachedTest('a restart logs its users out, and the next login works', async (t) => {
  const { server, client } = await start(t)
  await client.get('/set?key=user&value=momo')
  await server.kill()
  await server.start()
  await until('the connection that was lost is noticed', async () => (await client.get('/get')).status === 200)
  const { json, setCookie } = await client.get('/get')
  t.deepEqual(json, {})
  t.deepEqual(setCookie, [])
  const cookie = client.cookie('session')
  t.is((await client.get('/login')).status, 204)
  t.not(client.cookie('session'), cookie)
  await client.get('/set?key=user&value=momo')
  t.deepEqual((await client.get('/get')).json, { user: 'momo' })
})

memcachedTest('loginAs() works, and what needs the list of an owner is refused with an error that says why', async (t) => {
  const { client, errors } = await start(t)
  t.is((await client.get('/login')).status, 204)
  t.is((await client.get('/others')).status, 500)
  t.true(errors.at(-1) instanceof TypeError)
  t.regex(errors.at(-1)!.message, /cannot list the sessions of an owner .*memcached/)
  t.throws(() => session({ store: memcachedStore({ client: { gets: async () => undefined, add: async () => undefined, cas: async () => undefined } }), maxPerOwner: 1 }), {
    instanceOf: TypeError,
    message: /maxPerOwner: .*cannot list the sessions of an owner/
  })
})

test('a prefix that memcached could not keep in a key is a TypeError of session()', (t) => {
  const store = memcachedStore({ client: { gets: async () => undefined, add: async () => undefined, cas: async () => undefined } })
  t.throws(() => session({ store, prefix: 'my app:' }), { instanceOf: TypeError, message: /prefix must have at most 186 characters/ })
})

/** The store failed: 503, and whatever cookie the client has stays as it is. */
function isRefused(t: ExecutionContext, { status, setCookie, text }: Answer): void {
  t.deepEqual({ status, setCookie, text }, { status: 503, setCookie: [], text: 'Service Unavailable' })
}
