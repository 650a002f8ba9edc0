import test from 'ava'
import { memoryStore, type SessionStore } from '../../src/index.js'
import { startStory, type Routes } from '../support/story.js'

const turn = () => new Promise<void>((resolve) => void setImmediate(resolve))

/** A store that answers a turn of the event loop later, so that requests overlap. */
function lateStore(inner: SessionStore = memoryStore()): SessionStore {
  return {
    read: async (id) => turn().then(() => inner.read(id)),
    create: async (id, record) => turn().then(() => inner.create(id, record)),
    update: async (id, recipe, seen) => turn().then(() => inner.update(id, recipe, seen)),
    destroy: async (id) => turn().then(() => inner.destroy(id)),
    scope: (scope) => lateStore(inner.scope!(scope))
  }
}

const routes: Routes = {
  '/token': (ctx) => ctx.session.update({ token: { value: 't1' }, ...(ctx.query['user'] !== undefined && { user: 'momo' }) }),
  '/take': async (ctx) => ({ token: (await ctx.session.take('token')) ?? null }),
  '/take-twice': async (ctx) => [(await ctx.session.take('token')) ?? null, (await ctx.session.take('token')) ?? null],
  '/set-take': async (ctx) => {
    ctx.session.set('other', 1)
    ctx.session.set('token', 'own')
    return { token: await ctx.session.take('token') }
  },
  '/': (ctx) => ({ ...ctx.session })
}

for (const [what, path] of [['and the session holds more', '/token?user=1'], ['and the session holds nothing else', '/token']] as const) {
  test(`of parallel requests that take a value, exactly one gets it (${what})`, async (t) => {
    const { client } = await startStory(t, routes, { store: lateStore() })
    for (let round = 0; round < 10; round++) {
      await client.get(path)
      const answers = await Promise.all(Array.from({ length: 10 }, () => client.copy().get('/take')))
      for (const { status } of answers) t.is(status, 200)
      const tokens = answers.map(({ json }) => (json as { token: unknown }).token).filter(Boolean)
      t.deepEqual(tokens, [{ value: 't1' }])
      t.false('token' in ((await client.get('/')).json as object))
    }
  })
}

test('take() saves what the request changed before, and a second take() gets nothing', async (t) => {
  const { client, record } = await startStory(t, routes)
  await client.get('/token?user=1')
  t.deepEqual((await client.get('/set-take')).json, { token: 'own' })
  t.deepEqual((await record())?.data, { user: 'momo', other: 1 })
  await client.get('/token')
  t.deepEqual((await client.get('/take-twice')).json, [{ value: 't1' }, null])
})

test('take() of a visitor without a session, of an absent key and of a session that is gone gives undefined', async (t) => {
  const { client } = await startStory(t, {
    ...routes,
    '/logout': (ctx) => ctx.session.destroy(),
    '/gone': async (ctx) => {
      void ctx.session.get('token')
      await client.copy().get('/logout')
      return { token: (await ctx.session.take('token')) ?? null }
    }
  })
  t.deepEqual((await client.get('/take')).json, { token: null })
  await client.get('/token?user=1')
  await client.get('/take')
  t.deepEqual((await client.get('/take')).json, { token: null })
  await client.get('/token')
  t.deepEqual((await client.get('/gone')).json, { token: null })
})

test('a take() that fails gives nobody the value, and the next one gets it', async (t) => {
  const { client, store } = await startStory(t, routes)
  await client.get('/token?user=1')
  store.fault = ({ method }) => (method === 'update' ? Promise.reject(new Error('down')) : undefined)
  t.is((await client.get('/take')).status, 503)
  store.fault = undefined
  t.deepEqual((await client.get('/take')).json, { token: { value: 't1' } })
})

test('save() answers whether the changes were stored', async (t) => {
  const { client } = await startStory(t, {
    ...routes,
    '/logout': (ctx) => ctx.session.destroy(),
    '/save': async (ctx) => {
      ctx.session.set('a', 1)
      const first = await ctx.session.save()
      await client.copy().get('/logout')
      ctx.session.set('a', 2)
      return [first, await ctx.session.save()]
    }
  })
  await client.get('/token')
  t.deepEqual((await client.get('/save')).json, [true, false])
})

test('reload() brings what others saved, keeps this request\'s changes, and answers false when the session is gone', async (t) => {
  const { client, record } = await startStory(t, {
    ...routes,
    '/other': (ctx) => ctx.session.update({ theirs: 1, user: 'lin' }),
    '/logout': (ctx) => ctx.session.destroy(),
    '/long': async (ctx) => {
      ctx.session.set('mine', 1)
      void ctx.session.get('user')
      await client.copy().get('/other')
      const there = await ctx.session.reload()
      return { there, ...ctx.session }
    },
    '/ends': async (ctx) => {
      ctx.session.set('mine', 2)
      await client.copy().get('/logout')
      const there = await ctx.session.reload()
      return { there, ...ctx.session }
    }
  })
  await client.get('/token?user=1')
  t.deepEqual((await client.get('/long')).json, { there: true, token: { value: 't1' }, user: 'lin', theirs: 1, mine: 1 })
  t.deepEqual((await record())?.data, { token: { value: 't1' }, user: 'lin', theirs: 1, mine: 1 })
  t.deepEqual((await client.get('/ends')).json, { there: false })
})

test('increment() counts exactly under parallel requests, starts at 0, and refuses a value that is not a number', async (t) => {
  const { client, record } = await startStory(t, {
    ...routes,
    '/count': (ctx) => ({ n: ctx.session.increment('n') }),
    '/by': (ctx) => ({ n: ctx.session.increment('n', 0.5) }),
    '/bad': (ctx) => {
      t.throws(() => ctx.session.increment('user'), { instanceOf: TypeError, message: /expects a number under the key, found a string/ })
      t.throws(() => ctx.session.increment('n', Number.NaN), { instanceOf: TypeError })
      t.throws(() => ctx.session.increment('n', '1' as unknown as number), { instanceOf: TypeError })
    }
  }, { store: lateStore() })
  await client.get('/token?user=1')
  t.deepEqual((await client.get('/count')).json, { n: 1 })
  await Promise.all(Array.from({ length: 50 }, () => client.get('/count')))
  t.is((await client.get('/by')).status, 200)
  t.is((await record())?.data['n'], 51.5)
  t.is((await client.get('/bad')).status, 204)
})

test('a request that sets polling moves no deadline', async (t) => {
  const { client, record, time } = await startStory(t, {
    ...routes,
    '/poll': (ctx) => {
      void ctx.session.get('user')
      ctx.session.polling = true
    },
    '/poll-set': (ctx) => {
      ctx.session.polling = true
      ctx.session.increment('n')
    }
  })
  await client.get('/token?user=1')
  const { expires } = (await record())!
  time.pass(600_000)
  await client.get('/poll')
  await client.get('/poll-set')
  t.is((await record())?.expires, expires)
  await client.get('/')
  t.is((await record())?.expires, expires + 600_000)
})

test('Node callbacks are called: Passport waits for them', async (t) => {
  const { client } = await startStory(t, {
    ...routes,
    '/callbacks': async (ctx) => {
      const called: unknown[] = []
      for (const member of ['save', 'reload', 'regenerate', 'destroy'] as const) {
        await new Promise<void>((resolve) => {
          void ctx.session[member]((error) => {
            called.push([member, error])
            resolve()
          })
        })
      }
      return called
    },
    '/fails': async (ctx) => {
      ctx.session.set('a', 1)
      const error = await new Promise((resolve) => void ctx.session.save(resolve))
      return { code: (error as { code?: string } | null)?.code }
    }
  })
  await client.get('/token')
  t.deepEqual((await client.get('/callbacks')).json, [['save', null], ['reload', null], ['regenerate', null], ['destroy', null]])
  const { client: other, store } = await startStory(t, { ...routes, '/fails': async (ctx) => {
    ctx.session.set('a', 1)
    const error = await new Promise((resolve) => void ctx.session.save(resolve))
    ctx.session = null
    return { code: (error as { code?: string } | null)?.code }
  } })
  store.fault = ({ method }) => (method === 'create' ? Promise.reject(new Error('down')) : undefined)
  t.deepEqual((await other.get('/fails')).json, { code: 'ERR_SESSION_STORE' })
})

for (const [member, method] of [['save', 'update'], ['reload', 'read'], ['regenerate', 'create'], ['destroy', 'destroy']] as const) {
  test(`the callback of ${member}() gets the error of a failing store, and the promise that nobody awaits ends no process`, async (t) => {
    let code: string | undefined
    const { client, store } = await startStory(t, {
      ...routes,
      '/fails': async (ctx) => {
        ctx.session.set('a', 1)
        store.fault = (call) => (call.method === method ? Promise.reject(new Error('down')) : undefined)
        const error = await new Promise<Error | null | undefined>((resolve) => void ctx.session[member](resolve))
        store.fault = undefined
        code = (error as { code?: string } | null)?.code
      }
    })
    await client.get('/token')
    await client.get('/fails')
    t.is(code, 'ERR_SESSION_STORE')
  })
}
