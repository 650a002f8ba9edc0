import test from 'ava'
import { memoryStore, session, type SessionOptions } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, createClock, minute, routesOf, type Routes } from '../support/story.js'

const routes: Routes = {
  '/login': (ctx) => ctx.session.loginAs(String(ctx.query['user'])),
  '/app': (ctx) => ({ owner: ctx.session.owner ?? null })
}

/** Two releases of one application on one store, and a browser that talks to both in turn. */
async function startReleases(t: Parameters<typeof startApp>[0], before: SessionOptions, after: SessionOptions) {
  const time = createClock()
  const store = memoryStore()
  const start = (options: SessionOptions) => startApp(t, createApp().use(session({ store, now: time.now, ...options })).use(routesOf({ ...routes, '/app/login': routes['/login']! })))
  const [old, next] = [await start(before), await start(after)]
  const browser = new Client(old, { now: time.now })
  return { time, old: browser, next: browser.at(next) }
}

test('after the cookie\'s path was changed, a login with cookie.previous clears the earlier cookie, and the new session counts', async (t) => {
  const { time, old, next } = await startReleases(t, { cookie: { path: '/app' } }, { cookie: { previous: [{ path: '/app' }] } })
  await old.get('/app/login?user=momo')
  time.pass(minute)
  await next.get('/login?user=lin')
  t.is(next.cookies.length, 2, 'the browser holds both cookies')
  const { json, setCookie } = await next.get('/app')
  t.deepEqual(json, { owner: 'lin' }, 'the session that was created last counts')
  t.deepEqual(setCookie.map((line) => /^session=;.*Path=\/app;.*1970/.test(line)), [true])
  t.deepEqual(next.cookies.map(({ path }) => path), ['/'])
  t.deepEqual((await next.get('/app')).json, { owner: 'lin' })
})

test('without cookie.previous neither of two live sessions counts, and a dead one does not matter', async (t) => {
  const { old, next } = await startReleases(t, { cookie: { path: '/app' } }, {})
  await old.get('/app/login?user=momo')
  const { json } = await next.get('/app')
  t.deepEqual(json, { owner: 'momo' }, 'one cookie is no question')
  await next.get('/login?user=lin')
  t.deepEqual((await next.get('/app')).json, { owner: null })
})

test('keys are rotated in a rolling deployment without a logout: add the new one last, then move it first, then remove the old one', async (t) => {
  const [oldKey, newKey] = ['an old secret of more than thirty-two characters', 'a new secret of more than thirty-two characters']
  const store = memoryStore()
  const start = (keys: string[]) => startApp(t, createApp().use(session({ store, keys })).use(routesOf(routes)))
  const stages = [[oldKey], [oldKey, newKey], [newKey, oldKey], [newKey]]
  const servers = []
  for (const keys of stages) servers.push(await start(keys))
  const browser = new Client(servers[0]!)
  await browser.get('/login?user=momo')
  // While one stage is rolled out, requests go to servers of two neighbouring stages in turn.
  for (let stage = 0; stage + 1 < stages.length; stage++) {
    for (let round = 0; round < 3; round++) {
      for (const at of [stage, stage + 1]) t.deepEqual((await browser.at(servers[at]!).get('/app')).json, { owner: 'momo' }, `stage ${stage}, server ${at}`)
    }
  }
})
