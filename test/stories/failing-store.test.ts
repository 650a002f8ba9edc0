import test from 'ava'
import type { Context } from 'koa'
import { memoryStore, type Recipe, type SessionRecord, type SessionStore } from '../../src/index.js'
import { recordEvents } from '../support/events.js'
import type { Fault, Method } from '../support/store.js'
import { hour, startStory, type Routes } from '../support/story.js'

const routes: Routes = {
  '/set': (ctx: Context) => void (ctx.session.user = 'momo'),
  '/get': (ctx: Context) => ({ user: ctx.session.user ?? null }),
  '/change': (ctx: Context) => void (ctx.session.user = 'lin'),
  '/logout': (ctx: Context) => ctx.session.destroy(),
  '/clear': (ctx: Context) => ctx.session.clear(),
  '/static': () => 'static'
}

const only = (method: Method, make: () => Promise<never>): Fault => (call) => (call.method === method ? make() : undefined)
const reject = () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.1:6379'))
const hang = () => new Promise<never>(() => {})
const throwNow = (): never => {
  throw new Error('thrown where a promise was due')
}
const broken: [string, () => Promise<never>, string][] = [
  ['rejects', reject, 'ERR_SESSION_STORE'],
  ['hangs', hang, 'ERR_SESSION_TIMEOUT'],
  ['throws synchronously', throwNow, 'ERR_SESSION_STORE']
]

for (const [how, make, code] of broken) {
  test(`a read that ${how} is a 503, never an empty session, and no cookie is touched`, async (t) => {
    const { client, store, errors } = await startStory(t, routes, { storeTimeout: 50 })
    await client.get('/set')
    const cookie = client.cookie('session')
    store.fault = only('read', make)
    for (const path of ['/get', '/change', '/clear', '/set']) {
      const { status, text, setCookie } = await client.get(path)
      t.is(status, 503, path)
      t.is(text, 'Service Unavailable')
      t.deepEqual(setCookie, [])
    }
    t.true(errors.every((error) => (error as Error & { code?: string }).code === code))
    t.is(client.cookie('session'), cookie)
    store.fault = undefined
    t.deepEqual((await client.get('/get')).json, { user: 'momo' })
  })

  test(`a create that ${how} is a 503, and no sid is sent`, async (t) => {
    const { client, store } = await startStory(t, routes, { storeTimeout: 50 })
    store.fault = only('create', make)
    const { status, setCookie } = await client.get('/set')
    t.is(status, 503)
    t.deepEqual(setCookie, [])
  })

  test(`an update that ${how} is a 503, and the stored record stays as it was`, async (t) => {
    const { client, store, record } = await startStory(t, routes, { storeTimeout: 50 })
    await client.get('/set')
    const before = await record()
    store.fault = only('update', make)
    const { status, setCookie } = await client.get('/change')
    t.is(status, 503)
    t.deepEqual(setCookie, [])
    t.deepEqual(await record(), before)
  })

  test(`a destroy that ${how} is a 503, and the cookie is cleared anyway`, async (t) => {
    const { client, store } = await startStory(t, routes, { storeTimeout: 50 })
    await client.get('/set')
    store.fault = only('destroy', make)
    const { status, setCookie } = await client.get('/logout')
    t.is(status, 503)
    t.is(setCookie.length, 1)
    t.is(client.cookie('session'), undefined)
  })

  test(`a refresh that ${how} does not fail the request, and an event reports it`, async (t) => {
    const events = recordEvents(t)
    const { client, store, time } = await startStory(t, routes, { storeTimeout: 50, permanent: true })
    await client.get('/set')
    time.pass(hour)
    store.fault = only('update', make)
    const { status, json, setCookie } = await client.get('/get')
    t.is(status, 200)
    t.deepEqual(json, { user: 'momo' })
    t.deepEqual(setCookie, [])
    const id = store.calls[0]!.id
    t.true(events.some((event) => event.type === 'store-error' && event.id === id))
  })

  test(`onStoreError anonymous: a read that ${how} gives an empty, read-only session, and no cookie is touched`, async (t) => {
    const { client, store, record } = await startStory(t, routes, { storeTimeout: 50, onStoreError: 'anonymous' })
    await client.get('/set')
    const before = await record()
    store.fault = only('read', make)
    const answer = await client.get('/get')
    t.is(answer.status, 200)
    t.deepEqual(answer.json, { user: null })
    t.deepEqual(answer.setCookie, [])
    const change = await client.get('/change')
    t.true(change.status >= 500)
    t.deepEqual(change.setCookie, [])
    store.fault = undefined
    t.deepEqual(await record(), before)
    t.deepEqual((await client.get('/get')).json, { user: 'momo' })
  })
}

test('a store may answer without promises', async (t) => {
  const records = new Map<string, SessionRecord>()
  const store = {
    read: (id: string) => records.get(id),
    create: (id: string, record: SessionRecord) => Boolean(records.set(id, { ...record, rev: 1 })),
    update(id: string, recipe: Recipe) {
      const current = records.get(id)!
      const next = { ...recipe(current)!, rev: current.rev + 1 }
      records.set(id, next)
      return next
    },
    destroy(id: string) {
      const last = records.get(id)
      records.delete(id)
      return last
    },
    close: () => undefined
  } as unknown as SessionStore
  const { client } = await startStory(t, routes, { store })
  await client.get('/set')
  t.is((await client.get('/change')).status, 204)
  t.deepEqual((await client.get('/get')).json, { user: 'lin' })
  t.is((await client.get('/logout')).status, 204)
  t.is(records.size, 0)
})

test('with onStoreError anonymous, a logout after a failed read is either carried out or an error', async (t) => {
  const { client, store, record } = await startStory(t, routes, { onStoreError: 'anonymous' })
  await client.get('/set')
  const thief = client.copy()
  store.fault = only('read', reject)
  const { status } = await client.get('/logout')
  store.fault = undefined
  t.true(status >= 500 || (await record(thief)) === undefined, String(status))
})

test('a logout that nobody awaits and that fails is tried again at the end of the request, and a failure is never reported as success', async (t) => {
  const { client, store, record } = await startStory(t, {
    ...routes,
    '/careless': (ctx) => {
      void ctx.session.destroy()
      return 'bye'
    },
    '/caught': async (ctx) => {
      await ctx.session.destroy().catch(() => undefined)
      return 'bye'
    }
  })
  for (const path of ['/careless', '/caught']) {
    await client.get('/set')
    const thief = client.copy()
    store.fault = (_call, number) => (number === 2 ? reject() : undefined)
    t.is((await client.get(path)).status, 200)
    t.is(await record(thief), undefined)

    await client.get('/set')
    store.fault = only('destroy', reject)
    t.is((await client.get(path)).status, 503)
    t.is(client.cookie('session'), undefined)
    store.fault = undefined
  }
})

test('a save that nobody awaits and that fails is tried again at the end of the request, and does not end the process', async (t) => {
  const { client, store, record } = await startStory(t, {
    ...routes,
    '/careless': (ctx) => {
      ctx.session.user = ctx.query['user']
      void ctx.session.save()
      return 'saved'
    }
  })
  await client.get('/set')
  store.fault = (_call, number) => (number === 2 ? reject() : undefined)
  t.is((await client.get('/careless?user=lin')).status, 200)
  t.is((await record())?.data['user'], 'lin')
  store.fault = only('update', reject)
  t.is((await client.get('/careless?user=ana')).status, 503)
  t.is((await record())?.data['user'], 'lin')
})

test('a request without a cookie succeeds while the store is down', async (t) => {
  const { client, store } = await startStory(t, routes)
  store.fault = reject
  t.deepEqual((await client.get('/get')).json, { user: null })
  t.is((await client.get('/static')).text, 'static')
  t.is(store.said, '')
})

test('no message of the store reaches the client, and no error contains a sid or an id', async (t) => {
  const { client, store, errors } = await startStory(t, routes)
  await client.get('/set')
  const [sid] = client.cookie('session')!.split('.')
  const { id } = store.calls[0]!
  store.fault = () => Promise.reject(new Error(`GET session:${id} failed for ${sid!}`))
  const { text } = await client.get('/get')
  t.is(text, 'Service Unavailable')
  t.false(errors[0]!.message.includes(id))
  t.false(errors[0]!.message.includes(sid!))
  t.true(errors[0]!.cause instanceof Error)
})

test('an answer of the store after storeTimeout changes nothing', async (t) => {
  const { client, store, record } = await startStory(t, routes, { storeTimeout: 30 })
  await client.get('/set')
  let answer: ((value: never) => void) | undefined
  store.fault = only('read', () => new Promise<never>((resolve) => (answer = resolve)))
  const { status } = await client.get('/get')
  t.is(status, 503)
  store.fault = undefined
  answer?.({ rev: 1, id: 'x', created: 0, expires: 1, permanent: false, data: { user: 'evil' } } as never)
  t.deepEqual((await client.get('/get')).json, { user: 'momo' })
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('a store that rejects after storeTimeout does not end the process', async (t) => {
  const { client, store } = await startStory(t, routes, { storeTimeout: 30 })
  await client.get('/set')
  let fail: ((error: Error) => void) | undefined
  store.fault = only('read', () => new Promise<never>((_, refuse) => (fail = refuse)))
  t.is((await client.get('/get')).status, 503)
  fail?.(new Error('late'))
  store.fault = undefined
  t.deepEqual((await client.get('/get')).json, { user: 'momo' })
})

test('a store that comes to an update after storeTimeout does not write it, because the request has failed', async (t) => {
  const memory = memoryStore()
  let release: (() => void) | undefined
  const slow: SessionStore = {
    ...memory,
    scope: undefined as never,
    update: async (id, recipe, seen) => {
      await new Promise<void>((resolve) => (release = resolve))
      return memory.update(id, recipe, seen)
    }
  }
  const { client, record } = await startStory(t, routes, { store: slow, storeTimeout: 30, now: Date.now })
  await client.get('/set')
  const before = await record()
  t.is((await client.get('/change')).status, 503)
  release!()
  await new Promise((resolve) => setImmediate(resolve))
  t.deepEqual(await record(), before)
})

test('every request ends even if the store never answers: each call takes storeTimeout at most', async (t) => {
  const { client, store } = await startStory(t, routes, { storeTimeout: 100 })
  await client.get('/set')
  store.fault = hang
  const start = performance.now()
  await Promise.all(['/get', '/change', '/clear'].map((path) => client.get(path)))
  t.true(performance.now() - start < 20_000)
})

test('a store that says that every new id is taken is a 503, and no sid is sent', async (t) => {
  const { client, store } = await startStory(t, routes)
  store.fault = (call) => (call.method === 'create' ? (Promise.resolve(false) as Promise<never>) : undefined)
  const { status, setCookie } = await client.get('/set')
  t.is(status, 503)
  t.deepEqual(setCookie, [])
})

test('a request whose save found its session gone cannot bring it back with later changes', async (t) => {
  const { client, store, record } = await startStory(t, {
    ...routes,
    '/slow': async (ctx) => {
      ctx.session.user = 'lin'
      await store.destroy(store.calls[0]!.id)
      await ctx.session.save()
      ctx.session.set('late', 1)
    }
  })
  await client.get('/set')
  store.calls.length = 1
  const { status, setCookie } = await client.get('/slow')
  t.is(status, 204)
  t.deepEqual(setCookie, [])
  t.false(store.said.slice('create'.length).includes('create'))
  t.is(await record(), undefined)
})

test('a save() of a new session that nobody awaits is one create and one cookie', async (t) => {
  const { client, store, record } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.user = 'momo'
      void ctx.session.save()
    }
  })
  t.is((await client.get('/')).setCookie.length, 1)
  t.is(store.said, 'create')
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('if the session is gone when it is saved, the changes are dropped, no cookie is sent or cleared, and an event reports it', async (t) => {
  const events = recordEvents(t)
  const { client, store } = await startStory(t, {
    ...routes,
    '/slow': async (ctx) => {
      ctx.session.user = 'lin'
      await store.destroy(store.calls[0]!.id)
    }
  })
  await client.get('/set')
  const { status, setCookie } = await client.get('/slow')
  t.is(status, 204)
  t.deepEqual(setCookie, [])
  const { id } = store.calls[0]!
  t.true(events.some((event) => event.type === 'dropped' && event.id === id && event.reason === 'gone'))
})
