import nodeTest from 'node:test'
import test from 'ava'
import type { Context } from 'koa'
import { cookieStore, memoryStore, session, type SessionRecord, type SessionStore } from '../src/index.js'
import { sessionCookie, storeConformance, type RunnerTest } from '../src/testing.js'
import { startApp } from './support/app.js'
import { Client } from './support/client.js'
import { createApp, hour, routesOf, secret, startStory, type Options } from './support/story.js'

const routes = {
  '/': (ctx: Context) => ({ ...(ctx.session as object), at: String(ctx.session['at']), isNew: ctx.session.isNew, permanent: ctx.session.permanent }),
  '/count': (ctx: Context) => ctx.session.change('count', (n = 0) => Number(n) + 1)
}

function withoutScopes(store: SessionStore): SessionStore {
  const copy = { ...store }
  delete copy.scope
  return copy
}

const settings: readonly [string, Options][] = [
  ['no more than a key', {}],
  ['another name', { name: '__Host-sid', cookie: { secure: true } }],
  ['another prefix', { prefix: 'shop:' }],
  ['no signature', { signed: false }],
  ['a longest life', { permanent: true, lifetime: hour, absoluteLifetime: hour / 2 }]
]
for (const [name, options] of settings) {
  test(`a client with the cookie is logged in where session() has ${name}`, async (t) => {
    const { client, origin, store, time } = await startStory(t, routes, { ...options, https: true })
    const all = { ...options, store, keys: [secret], now: time.now }
    const cookie = await sessionCookie({ user: 'momo', at: new Date(0) }, all)
    t.regex(cookie, /^[\w-]+=[\w.-]+$/)
    const { json, status } = await client.get('/', { headers: { cookie } })
    t.is(status, 200)
    t.like(json, { user: 'momo', at: String(new Date(0)), isNew: false, permanent: options.permanent ?? false })
    const other = new Client(origin, { https: true })
    t.is((await other.get('/count', { headers: { cookie } })).text, '1')
    t.is((await other.get('/count', { headers: { cookie } })).text, '2')
  })
}

test('a client with the cookie is logged in where cookies are the store', async (t) => {
  const app = createApp()
  app.use(session({ store: cookieStore() }))
  app.use(routesOf(routes))
  const client = new Client(await startApp(t, app))
  const cookie = await sessionCookie({ user: 'momo' }, { store: cookieStore(), keys: app.keys })
  t.like((await client.get('/', { headers: { cookie } })).json, { user: 'momo', isNew: false })
})

test('a store without scopes will do', async (t) => {
  const store = withoutScopes(memoryStore())
  const { client } = await startStory(t, routes, { store, now: Date.now })
  const cookie = await sessionCookie({ user: 'momo' }, { store, keys: [secret] })
  t.like((await client.get('/', { headers: { cookie } })).json, { user: 'momo' })
})

test('each cookie is a session of its own, with any keys in its data', async (t) => {
  const store = memoryStore()
  const data = JSON.parse('{"__proto__":1,"toJSON":2}') as object
  const cookies = await Promise.all([1, 2].map(() => sessionCookie(data, { store, keys: [secret] })))
  t.is(new Set(cookies).size, 2)
  for await (const record of store.records!()) t.deepEqual(record.data, data as never)
})

test('what could not be stored or signed is refused', async (t) => {
  const store = memoryStore()
  await t.throwsAsync(sessionCookie({ fn: () => 1 }, { store, keys: [secret] }), { code: 'ERR_SESSION_VALUE', message: /^fn: a function cannot/ })
  await t.throwsAsync(sessionCookie({}, { store, keys: [] }), { code: 'ERR_SESSION_KEYS' })
  await t.throwsAsync(sessionCookie({}, { store }), { code: 'ERR_SESSION_KEYS' })
  await t.throwsAsync(sessionCookie({}, { store, key: secret } as object), { instanceOf: TypeError, message: /unknown option "key"/ })
})

test('the suite registers under the titles that a runner is given, with functions that take no callback', (t) => {
  const registered: [string, number][] = []
  const collect: RunnerTest = (title, run) => void registered.push([title, run.length])
  storeConformance(collect, () => memoryStore())
  t.true(registered.length >= 30)
  t.is(new Set(registered.map(([title]) => title)).size, registered.length)
  t.true(registered.every(([, length]) => length === 0))
  // Compiles: node:test's own test is such a runner.
  t.is(typeof (nodeTest satisfies RunnerTest), 'function')
})

/** Words of a title, and a store with a fault that the test of that title has to find. */
const faulty: readonly [string, (store: SessionStore) => Partial<SessionStore>][] = [
  [
    'read back equal',
    (store) => ({
      async read(id) {
        const found = await store.read(id)
        return found && { ...found, permanent: true }
      }
    })
  ],
  [
    'an id that is taken',
    (store) => ({
      async create(id, record) {
        await store.destroy(id)
        return store.create(id, record)
      }
    })
  ],
  [
    'an id without a record',
    (store) => ({
      async update(id, recipe, seen) {
        const written = await store.update(id, recipe, seen)
        if (written === undefined) await store.create(id, { rev: 1, id, created: 0, expires: 8e15, permanent: false, data: {} })
        return written
      }
    })
  ],
  [
    'parallel counting',
    (store) => ({
      async update(id, recipe) {
        const current = await store.read(id)
        const next = current && recipe(current)
        return store.update(id, next ? () => next : recipe)
      }
    })
  ],
  ['seen is stale', (store) => ({ update: (id, recipe, seen) => store.update(id, seen ? () => recipe(seen) : recipe) })],
  [
    'very last state',
    (store) => ({
      async destroy(id) {
        const last = await store.read(id)
        await store.destroy(id)
        return last
      }
    })
  ],
  ['a closed store', () => ({ close: async () => undefined })],
  [
    'handed in or was given',
    (store) => {
      const kept = new Map<string, SessionRecord | undefined>()
      return {
        async read(id) {
          if (!kept.has(id)) kept.set(id, await store.read(id))
          return kept.get(id)
        }
      }
    }
  ],
  [
    'prune() removes nothing that lives',
    (store) => ({
      async prune() {
        let count = 0
        for await (const { id } of store.records!()) if (await store.destroy(id)) count++
        return count
      }
    })
  ]
]
for (const [word, fault] of faulty) {
  test(`the suite finds a store with a fault: ${word}`, async (t) => {
    const runs: [string, () => Promise<void>][] = []
    storeConformance((title, run) => runs.push([title, run]), (scope) => {
      const inner = withoutScopes(memoryStore().scope!(scope))
      return { ...inner, ...fault(inner) }
    }, { shared: false, parallel: 5 })
    const failed: string[] = []
    for (const [title, run] of runs) await run().catch(() => failed.push(title))
    t.true(failed.some((title) => title.includes(word)), failed.join('\n'))
  })
}
