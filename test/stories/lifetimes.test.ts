import test from 'ava'
import type { Context } from 'koa'
import { memoryStore } from '../../src/index.js'
import { readSetCookie, type Answer } from '../support/client.js'
import { day, hour, minute, startStory } from '../support/story.js'

const routes = {
  '/set': (ctx: Context) => void (ctx.session.user = 'momo'),
  '/get': (ctx: Context) => ({ user: ctx.session.user }),
  '/not': () => 'static'
}

const expiry = ({ setCookie }: Answer) => (setCookie[0] === undefined ? undefined : Date.parse(String(readSetCookie(setCookie[0])['expires'])))

test('a session is there until its lifetime has passed, and not a millisecond longer', async (t) => {
  const { client, time } = await startStory(t, routes, { lifetime: hour, refreshEachRequest: false })
  await client.get('/set')
  time.pass(hour - 1)
  t.deepEqual((await client.get('/get')).json, { user: 'momo' })
  time.pass(1)
  t.deepEqual((await client.get('/get')).json, {})
})

test('a request that reads moves the deadline, so a session in use does not end', async (t) => {
  const { client, time } = await startStory(t, routes, { lifetime: hour })
  await client.get('/set')
  for (let n = 0; n < 10; n++) {
    time.pass(50 * minute)
    t.deepEqual((await client.get('/get')).json, { user: 'momo' })
  }
  time.pass(hour)
  t.deepEqual((await client.get('/get')).json, {})
})

test('the deadline moves at most once per touchAfter', async (t) => {
  const { client, time, store, record } = await startStory(t, routes, { touchAfter: 5 * minute })
  await client.get('/set')
  const { expires } = (await record())!
  time.pass(5 * minute - 1)
  await client.get('/get')
  t.is((await record())!.expires, expires)
  time.pass(1)
  store.calls.length = 0
  await client.get('/get')
  t.is(store.said, 'read update')
  t.is((await record())!.expires, time.now() + 31 * day)
  await client.get('/get')
  t.is(store.said, 'read update read')
})

test('touchAfter 0 moves the deadline on each request that reads', async (t) => {
  const { client, time, record } = await startStory(t, routes, { touchAfter: 0 })
  await client.get('/set')
  time.pass(1)
  await client.get('/get')
  t.is((await record())!.expires, time.now() + 31 * day)
})

test('refreshEachRequest false moves the deadline with changes only', async (t) => {
  const { client, time, record, store } = await startStory(
    t,
    { ...routes, '/change': (ctx) => ctx.session.set('at', time.now()) },
    { refreshEachRequest: false }
  )
  await client.get('/set')
  const { expires } = (await record())!
  time.pass(hour)
  store.calls.length = 0
  await client.get('/get')
  t.is(store.said, 'read')
  t.is((await record())!.expires, expires)
  await client.get('/change')
  t.is((await record())!.expires, time.now() + 31 * day)
})

test('a request that only reads never writes data: its refresh moves the deadline and undoes nobody\'s change', async (t) => {
  const { client, time, record } = await startStory(t, {
    ...routes,
    '/slow': async (ctx) => {
      void ctx.session.user
      await client.copy().get('/change')
    },
    '/change': (ctx) => void (ctx.session.user = 'lin')
  })
  await client.get('/set')
  time.pass(hour)
  await client.get('/slow')
  t.deepEqual((await record())?.data, { user: 'lin' })
})

test('a refresh of a permanent session sends its cookie again with the new Expires, and once per touchAfter', async (t) => {
  const { client, time } = await startStory(t, routes, { permanent: true, lifetime: 10 * day })
  t.is(expiry(await client.get('/set')), time.now() + 10 * day)
  time.pass(hour)
  t.is(expiry(await client.get('/get')), time.now() + 10 * day)
  t.is(expiry(await client.get('/get')), undefined)
})

test('a refresh of a session that is not permanent sends no cookie', async (t) => {
  const { client, time } = await startStory(t, routes)
  await client.get('/set')
  time.pass(hour)
  t.deepEqual((await client.get('/get')).setCookie, [])
})

test('permanent: true makes the cookie outlive the browser, false does not', async (t) => {
  const permanent = await startStory(t, routes, { permanent: true })
  await permanent.client.get('/set')
  permanent.client.close()
  t.deepEqual((await permanent.client.get('/get')).json, { user: 'momo' })
  const passing = await startStory(t, routes)
  await passing.client.get('/set')
  passing.client.close()
  t.deepEqual((await passing.client.get('/get')).json, {})
})

test('a change of the option permanent does not change stored sessions', async (t) => {
  const store = memoryStore()
  const before = await startStory(t, routes, { store, permanent: true })
  const after = await startStory(t, { ...routes, '/': (ctx) => [ctx.session.permanent] }, { store, permanent: false })
  await before.client.get('/set')
  t.deepEqual((await before.client.at(after.origin).get('/')).json, [true])
})

test('no refresh moves a deadline past creation + absoluteLifetime', async (t) => {
  const { client, time, record } = await startStory(t, routes, { lifetime: hour, absoluteLifetime: 2 * hour, permanent: true })
  const end = time.now() + 2 * hour
  await client.get('/set')
  time.pass(50 * minute)
  await client.get('/get')
  time.pass(50 * minute)
  t.is(expiry(await client.get('/get')), end)
  t.is((await record())?.expires, end)
  time.pass(20 * minute - 1)
  t.deepEqual((await client.get('/get')).json, { user: 'momo' })
  t.is((await record())?.expires, end)
  time.pass(1)
  t.deepEqual((await client.get('/get')).json, {})
})

test('a deadline that cannot move any further is not written again on each request', async (t) => {
  const { client, time, store } = await startStory(t, routes, { lifetime: hour, absoluteLifetime: hour, touchAfter: 0 })
  await client.get('/set')
  time.pass(minute)
  store.calls.length = 0
  await client.get('/get')
  t.is(store.said, 'read')
})

test('absoluteLifetime counts from the first creation across regenerate()', async (t) => {
  const { client, time, record } = await startStory(
    t,
    { ...routes, '/login': (ctx) => ctx.session.regenerate() },
    { lifetime: hour, absoluteLifetime: 2 * hour }
  )
  const end = time.now() + 2 * hour
  await client.get('/set')
  time.pass(50 * minute)
  await client.get('/login')
  time.pass(50 * minute)
  await client.get('/get')
  t.is((await record())?.expires, end)
})

test('a session with a lifetime of its own ends at absoluteLifetime too', async (t) => {
  const { client, time, record } = await startStory(
    t,
    {
      '/set': (ctx) => {
        ctx.session.user = 'momo'
        ctx.session.lifetime = 90 * day
      }
    },
    { lifetime: hour, absoluteLifetime: 10 * day }
  )
  await client.get('/set')
  t.is((await record())?.expires, time.now() + 10 * day)
})

test('a session whose deadline has passed while its request was in progress is not written again', async (t) => {
  const { client, time, record } = await startStory(
    t,
    {
      ...routes,
      '/slow': (ctx) => {
        ctx.session.user = 'lin'
        time.pass(2 * hour)
      }
    },
    { lifetime: hour }
  )
  await client.get('/set')
  const thief = client.copy()
  const { setCookie } = await client.get('/slow')
  t.deepEqual(setCookie, [])
  t.is(await record(thief), undefined)
})

test('a clock that was set back neither ends sessions nor shortens them', async (t) => {
  const { client, time, record } = await startStory(t, routes, { lifetime: hour, touchAfter: 0 })
  await client.get('/set')
  time.pass(-10 * minute)
  t.deepEqual((await client.get('/get')).json, { user: 'momo' })
  t.truthy(await record())
})

test('a lifetime of 100 days is kept: no timer or number overflows', async (t) => {
  const { client, time } = await startStory(t, routes, { lifetime: 100 * day, refreshEachRequest: false, permanent: true })
  t.is(expiry(await client.get('/set')), time.now() + 100 * day)
  time.pass(100 * day - 1)
  t.deepEqual((await client.get('/get')).json, { user: 'momo' })
})
