import { setTimeout as delay } from 'node:timers/promises'
import test, { type ExecutionContext } from 'ava'
import { openMongo } from '../../../src/stores/mongo/index.js'
import type { Answer } from '../../support/client.js'
import { idOf, recordEvents } from '../../support/events.js'
import { createGate } from '../../support/gate.js'
import { connectMongo, needsMongo, patientUrl, startMongo } from '../../support/mongo.js'
import { until } from '../../support/redis.js'
import { startStory, type Routes } from '../../support/story.js'

// Serial: so the tests share a server. Those that run at once would each start one, which needs a whole core.
const mongoTest = needsMongo(test).serial as typeof test

const routes: Routes = {
  '/get': (ctx) => ({ ...ctx.session }),
  '/set': (ctx) => ctx.session.set(String(ctx.query['key']), String(ctx.query['value'])),
  '/change': (ctx) => ctx.session.change<number>('count', (count) => (count ?? 0) + 1),
  '/login': (ctx) => ctx.session.loginAs(String(ctx.query['user'])),
  '/logout': (ctx) => ctx.session.destroy()
}

/** An application. If it is impatient, it has the default timeouts. Otherwise they are long, because slowness on a busy machine is no failure. */
async function start(t: ExecutionContext, isImpatient = false) {
  const server = await startMongo(t)
  const store = openMongo(isImpatient ? `${server.url}/app` : patientUrl(`${server.url}/app`))
  t.teardown(async () => store.close!())
  // The TTL index goes by the server's clock, so this clock is the real one.
  const gate = createGate()
  const slow: Routes = {
    '/slow': async (ctx) => {
      ctx.session['cart'] = ['tea']
      await gate.pass()
    }
  }
  const { client } = await startStory(t, { ...routes, ...slow }, { store, now: Date.now, ...(isImpatient && { storeTimeout: 2000 }) })
  return { server, client, gate, documents: connectMongo(t, server.url).db('app').collection<{ _id: string }>('sessions') }
}

/** The store failed: 503, and the cookie of the client stays as it is. */
function isRefused(t: ExecutionContext, { status, setCookie, text }: Answer): void {
  t.deepEqual({ status, setCookie, text }, { status: 503, setCookie: [], text: 'Service Unavailable' })
}

mongoTest('while MongoDB is stopped every request is answered in time, and none with what is not its own', async (t) => {
  const { server, client } = await start(t, true)
  const browsers = await Promise.all(
    ['momo', 'lin', 'kim'].map(async (user) => {
      const browser = client.copy()
      await until('the session is stored', async () => (await browser.get(`/set?key=user&value=${user}`)).status === 204)
      return { user, browser }
    })
  )
  await server.pause()
  const end = Date.now() + 5_000
  let longest = 0
  await Promise.all(
    browsers.flatMap(({ browser }) =>
      ['/get', '/set?key=late&value=1', '/change', '/login?user=x'].map(async (path) => {
        while (Date.now() < end) {
          const from = performance.now()
          isRefused(t, await browser.copy().get(path))
          longest = Math.max(longest, performance.now() - from)
          await delay(100)
        }
      })
    )
  )
  // storeTimeout is 2 s, and a login makes several calls. A busy machine may be late, but nobody waits for MongoDB to go on.
  t.true(longest < 20_000, `the longest took ${longest} ms`)
  server.resume()
  await until('the application works again', async () => (await client.copy().get('/set?key=a&value=1')).status === 204)
  for (const { user, browser } of browsers) {
    await until('the session is read', async () => (await browser.get('/get')).status === 200)
    t.is(((await browser.get('/get')).json as { user: string }).user, user)
  }
})

mongoTest('when MongoDB is killed in the midst of requests each is answered, and every acknowledged write is there afterwards', async (t) => {
  const { server, client } = await start(t, true)
  await until('the session is stored', async () => (await client.get('/set?key=user&value=momo')).status === 204)
  const acknowledged: string[] = []
  const statuses = new Set<number>()
  let isKilled = false
  await Promise.all(
    Array.from({ length: 8 }, async (_, writer) => {
      for (let at = 0; at < 1000 && !(isKilled && statuses.has(503)); at++) {
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
  t.deepEqual([...statuses].sort((one, other) => one - other), [204, 503])
  await server.kill()
  await server.start()
  await until('the application works again', async () => (await client.get('/get')).status === 200)
  const data = (await client.get('/get')).json as Record<string, string>
  t.deepEqual(acknowledged.filter((key) => data[key] !== '1'), [])
  t.is(data['user'], 'momo')
})

mongoTest('a document that is no record is no session for its client, whose cookie stays', async (t) => {
  const events = recordEvents(t)
  const { client, documents } = await start(t)
  await client.get('/set?key=user&value=momo')
  const id = idOf(client.cookie('session')!)
  await documents.replaceOne({ _id: `session:${id}` }, { record: { user: 'planted' } })
  const { status, json, setCookie } = await client.get('/get')
  t.is(status, 200)
  t.deepEqual(json, {})
  t.deepEqual(setCookie, [])
  t.true(events.some((event) => event.type === 'corrupt' && event.id === id))
  t.is((await client.get('/set?key=user&value=lin')).status, 204)
  t.not(idOf(client.cookie('session')!), id, 'a session that begins has a sid of its own')
  t.deepEqual((await client.get('/get')).json, { user: 'lin' })
})

mongoTest('a session that MongoDB removes while a request is in progress does not come back, and the cookie stays', async (t) => {
  const { client, documents, gate } = await start(t)
  await client.get('/set?key=user&value=momo')
  const slow = client.get('/slow')
  await gate.reached()
  await documents.deleteMany({})
  gate.open()
  const { status, setCookie } = await slow
  t.is(status, 204)
  t.deepEqual(setCookie, [])
  t.is(await documents.countDocuments({}), 0)
})
