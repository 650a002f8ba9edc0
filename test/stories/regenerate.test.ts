import test from 'ava'
import type { Context } from 'koa'
import { memoryStore, type SessionStore } from '../../src/index.js'
import { recordEvents } from '../support/events.js'
import { createGate } from '../support/gate.js'
import { startStory, type Handler } from '../support/story.js'

const set: Handler = (ctx: Context) => ctx.session.update({ cart: ['tea'], theme: 'dark' })

/** How many records there are, live or not. */
async function count(store: SessionStore): Promise<number> {
  let records = 0
  for await (const _ of store.scope!({ prefix: 'session:', now: () => 0, largest: 1e6 }).records!()) records++
  return records
}

test('regenerate() creates the new record before it replaces the old one by a marker, and only then sends the cookie', async (t) => {
  const { client, store } = await startStory(t, { '/set': set, '/': (ctx) => ctx.session.regenerate() })
  await client.get('/set')
  store.calls.length = 0
  const { setCookie } = await client.get('/')
  t.is(store.said, 'read create update')
  t.is(setCookie.length, 1)
})

test('changes before and after regenerate() are all kept', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/': async (ctx) => {
      ctx.session.set('before', 1)
      await ctx.session.regenerate()
      ctx.session.set('after', 1)
    }
  })
  await client.get('/set')
  t.is((await client.get('/')).setCookie.length, 1)
  t.deepEqual((await record())?.data, { cart: ['tea'], theme: 'dark', before: 1, after: 1 })
})

test('regenerate() carries over what another request committed meanwhile', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/login': async (ctx) => {
      ctx.session.user = 'momo'
      void ctx.session.get('theme')
      await client.copy().get('/change')
      await ctx.session.regenerate()
    },
    '/change': (ctx) => {
      ctx.session.set('theme', 'light')
      ctx.session.set('flash', 'hi')
      delete ctx.session['cart']
    }
  })
  await client.get('/set')
  t.is((await client.get('/login')).status, 204)
  t.deepEqual((await record())?.data, { user: 'momo', theme: 'light', flash: 'hi' })
})

test('after a logout meanwhile, regenerate() keeps only what its own request set', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/logout': (ctx) => ctx.session.destroy(),
    '/login': async (ctx) => {
      void ctx.session.get('cart')
      await client.copy().get('/logout')
      ctx.session.user = 'momo'
      await ctx.session.regenerate()
    }
  })
  await client.get('/set')
  t.is((await client.get('/login')).status, 204)
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('after a logout meanwhile, a login that sets its user after regenerate() still succeeds', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/logout': (ctx) => ctx.session.destroy(),
    '/login': async (ctx) => {
      void ctx.session.get('cart')
      await client.copy().get('/logout')
      await ctx.session.regenerate()
      ctx.session.user = 'momo'
    }
  })
  await client.get('/set')
  const { status, setCookie } = await client.get('/login')
  t.is(status, 204)
  t.is(setCookie.length, 1)
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('after a logout meanwhile, a regenerate() with nothing to keep leaves no record behind', async (t) => {
  const store = memoryStore()
  const { client } = await startStory(
    t,
    {
      '/set': set,
      '/logout': (ctx) => ctx.session.destroy(),
      '/': async (ctx) => {
        void ctx.session.get('cart')
        await client.copy().get('/logout')
        await ctx.session.regenerate()
      }
    },
    { store }
  )
  await client.get('/set')
  t.is((await client.get('/')).status, 204)
  t.is(await count(store), 0)
})

test('a visitor without a session who logs in gets one', async (t) => {
  const { client, record, store } = await startStory(t, {
    '/': async (ctx) => {
      await ctx.session.regenerate()
      ctx.session.user = 'momo'
    }
  })
  t.is((await client.get('/')).setCookie.length, 1)
  t.is(store.said, 'create')
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('a visitor whose user is set before regenerate() gets one session, not two', async (t) => {
  const { client, record, origin } = await startStory(t, {
    '/': async (ctx) => {
      ctx.session.user = 'momo'
      await ctx.session.regenerate()
    }
  })
  t.truthy(origin)
  t.is((await client.get('/')).setCookie.length, 1)
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('regenerate() twice in one request leaves one live session: the last', async (t) => {
  const store = memoryStore()
  const { client, record } = await startStory(
    t,
    {
      '/set': set,
      '/': async (ctx) => {
        await ctx.session.regenerate()
        await ctx.session.regenerate()
      }
    },
    { store }
  )
  await client.get('/set')
  t.is((await client.get('/')).setCookie.length, 1)
  t.deepEqual((await record())?.data, { cart: ['tea'], theme: 'dark' })
  t.is(await count(store), 1)
})

test('regenerate() and then destroy() leaves no session', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/': async (ctx) => {
      await ctx.session.regenerate()
      await ctx.session.destroy()
    }
  })
  await client.get('/set')
  const thief = client.copy()
  await client.get('/')
  t.is(client.cookie('session'), undefined)
  t.is(await record(thief), undefined)
})

test('when replacing the old record fails, regenerate() fails and the old session stays as it was', async (t) => {
  const { client, record, store } = await startStory(t, { '/set': set, '/': (ctx) => ctx.session.regenerate() })
  await client.get('/set')
  const before = await record()
  store.fault = ({ method }) => (method === 'update' ? Promise.reject(new Error('down')) : undefined)
  const { status, setCookie } = await client.get('/')
  store.fault = undefined
  t.is(status, 503)
  t.deepEqual(setCookie, [])
  t.deepEqual(await record(), before)
})

test('a regenerate() that failed, and one that met another writer, leave no record behind that nobody can reach', async (t) => {
  const memory = memoryStore()
  const { client, store } = await startStory(
    t,
    {
      '/set': set,
      '/': (ctx) => ctx.session.regenerate(),
      '/change': (ctx) => ctx.session.set('flash', 'hi'),
      '/met': async (ctx) => {
        void ctx.session.get('cart')
        await client.copy().get('/change')
        await ctx.session.regenerate()
      }
    },
    { store: memory }
  )
  await client.get('/set')
  store.fault = ({ method }, number) => (method === 'update' && number === 3 ? Promise.reject(new Error('down')) : undefined)
  t.is((await client.get('/')).status, 503)
  store.fault = undefined
  t.is(await count(memory), 1)
  t.is((await client.get('/met')).status, 204)
  t.is(await count(memory), 1)
})

test('when what another request committed cannot be carried over, regenerate() fails and no record is left that anybody can open', async (t) => {
  const { client, record, store } = await startStory(t, {
    '/set': set,
    '/change': (ctx) => ctx.session.set('flash', 'hi'),
    '/': async (ctx) => {
      void ctx.session.get('cart')
      await client.copy().get('/change')
      let updates = 0
      store.fault = ({ method }) => (method === 'update' && ++updates === 2 ? Promise.reject(new Error('down')) : undefined)
      await ctx.session.regenerate()
    }
  })
  await client.get('/set')
  const { status, setCookie } = await client.get('/')
  t.is(status, 503)
  t.deepEqual(setCookie, [])
  t.is(await record(), undefined)
  for await (const { id } of store.records?.() ?? []) t.fail(id)
})

test('a regenerate() that fails and that nobody awaits fails the request: the login is not saved under the old sid', async (t) => {
  const { client, record, store } = await startStory(t, {
    '/set': set,
    '/login': (ctx) => {
      void ctx.session.regenerate()
      ctx.session.user = 'momo'
    },
    '/caught': async (ctx) => {
      await ctx.session.regenerate().catch(() => undefined)
      ctx.session.user = 'momo'
    }
  })
  await client.get('/set')
  const before = await record()
  for (const path of ['/login', '/caught']) {
    for (const failing of ['create', 'update']) {
      store.fault = ({ method }, number) => (method === failing && number <= 3 ? Promise.reject(new Error('down')) : undefined)
      const { status, setCookie } = await client.get(path)
      store.fault = undefined
      t.is(status, 503, `${path} ${failing}`)
      t.deepEqual(setCookie, [])
      t.deepEqual(await record(), before)
    }
  }
})

test('a regenerate() that failed and is tried again succeeds', async (t) => {
  const { client, record, store } = await startStory(t, {
    '/set': set,
    '/login': async (ctx) => {
      await ctx.session.regenerate().catch(() => ctx.session.regenerate())
      ctx.session.user = 'momo'
    }
  })
  await client.get('/set')
  const thief = client.copy()
  store.fault = ({ method }, number) => (method === 'update' && number === 3 ? Promise.reject(new Error('down')) : undefined)
  t.is((await client.get('/login')).status, 204)
  t.is((await record())?.data['user'], 'momo')
  t.is(await record(thief), undefined)
})

test('a session that is emptied and regenerated is destroyed, and an event reports it', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/': async (ctx) => {
      ctx.session.clear()
      await ctx.session.regenerate()
    }
  })
  await client.get('/set')
  const { id } = (await record())!
  const events = recordEvents(t)
  await client.get('/')
  t.is(client.cookie('session'), undefined)
  t.deepEqual(events.filter((event) => event.id === id).map(({ type }) => type), ['load', 'destroy'])
})

test('when creating the new record fails, the old session stays as it was', async (t) => {
  const { client, record, store } = await startStory(t, { '/set': set, '/': (ctx) => ctx.session.regenerate() })
  await client.get('/set')
  const before = await record()
  store.fault = ({ method }) => (method === 'create' ? Promise.reject(new Error('down')) : undefined)
  t.is((await client.get('/')).status, 503)
  store.fault = undefined
  t.deepEqual(await record(), before)
})

test('regenerate() keeps permanent and lifetime', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': (ctx) => {
      ctx.session.user = 'momo'
      ctx.session.permanent = true
      ctx.session.lifetime = 5000
    },
    '/': (ctx) => ctx.session.regenerate()
  })
  await client.get('/set')
  await client.get('/')
  const stored = await record()
  t.true(stored?.permanent)
  t.is(stored?.lifetime, 5000)
})

test('of two parallel logins on one session, each ends with a live session of its own', async (t) => {
  const gate = createGate()
  const { client, record } = await startStory(t, {
    '/set': set,
    '/login': async (ctx) => {
      void ctx.session.get('cart')
      await gate.pass()
      await ctx.session.regenerate()
      ctx.session.user = ctx.query['user']
    }
  })
  await client.get('/set')
  const [one, two, thief] = [client.copy(), client.copy(), client.copy()]
  const logins = [one.get('/login?user=momo'), two.get('/login?user=lin')]
  await gate.reached(2)
  gate.open()
  for (const { status } of await Promise.all(logins)) t.is(status, 204)
  t.not(one.cookie('session'), two.cookie('session'))
  t.is((await record(one))?.data['user'], 'momo')
  t.is((await record(two))?.data['user'], 'lin')
  t.is(await record(thief), undefined)
})
