import test from 'ava'
import type { Context } from 'koa'
import { inspect } from 'node:util'
import { memoryStore, session } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, startStory } from '../support/story.js'

const set = (ctx: Context) => void (ctx.session.user = 'momo')
const add = (n: unknown) => ((n as number | undefined) ?? 0) + 1

for (const status of [400, 401, 404, 409, 422, 451]) {
  test(`changes are kept when the handler throws a ${status}`, async (t) => {
    const { client, record } = await startStory(t, {
      '/set': set,
      '/': (ctx) => {
        ctx.session.change('attempts', add)
        ctx.throw(status)
      }
    })
    await client.get('/set')
    t.is((await client.get('/')).status, status)
    t.deepEqual((await record())?.data, { user: 'momo', attempts: 1 })
  })
}

for (const status of [400, 401, 404]) {
  test(`a session that a handler creates before it throws a ${status} reaches the client with its cookie and Vary`, async (t) => {
    const { client, record } = await startStory(t, {
      '/': (ctx) => {
        ctx.set('X-Mine', 'gone, as Koa does it')
        ctx.session.change('attempts', add)
        ctx.throw(status, 'wrong password', { headers: { 'WWW-Authenticate': 'Basic' } })
      }
    })
    const { status: got, text, headers } = await client.get('/')
    t.is(got, status)
    t.is(text, 'wrong password')
    t.is(headers['www-authenticate'], 'Basic')
    t.is(headers['x-mine'], undefined)
    t.regex(headers.vary ?? '', /\bcookie\b/i)
    t.deepEqual((await record())?.data, { attempts: 1 })
  })
}

test('changes are dropped when the handler throws a 5xx, or anything', async (t) => {
  const things: unknown[] = [new Error('boom'), Object.assign(new Error('x'), { status: 503 }), Object.assign(new Error('x'), { status: 499 }), 'a string', {}, 7]
  const { client, record } = await startStory(t, {
    '/set': set,
    '/': (ctx) => {
      ctx.session.user = 'lin'
      throw things[Number(ctx.query['n'])]
    }
  })
  await client.get('/set')
  for (const n of things.keys()) {
    const { status } = await client.get(`/?n=${n}`)
    t.true(status >= 500, String(things[n]))
    t.deepEqual((await record())?.data, { user: 'momo' }, String(things[n]))
  }
})

test('changes are dropped when the response is a 5xx that nobody threw', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/': (ctx) => {
      ctx.session.user = 'lin'
      ctx.status = 502
      ctx.body = 'bad gateway'
    }
  })
  await client.get('/set')
  t.is((await client.get('/')).text, 'bad gateway')
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('a handler that fails creates no session', async (t) => {
  const { client, store } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.user = 'momo'
      throw new Error('boom')
    }
  })
  const { setCookie } = await client.get('/')
  t.deepEqual(setCookie, [])
  t.is(store.said, '')
})

test('with saveOnError, changes are kept at a 5xx, and the response to the error has the cookie', async (t) => {
  const { client, record, errors } = await startStory(
    t,
    {
      '/': (ctx) => {
        ctx.session.change('tries', add)
        throw new Error('boom')
      }
    },
    { saveOnError: true }
  )
  const { status, setCookie, headers } = await client.get('/')
  t.is(status, 500)
  t.is(setCookie.length, 1)
  t.regex(headers.vary ?? '', /\bcookie\b/i)
  t.deepEqual((await record())?.data, { tries: 1 })
  await client.get('/')
  t.deepEqual((await record())?.data, { tries: 2 })
  t.deepEqual(errors.map(({ message }) => message), ['boom', 'boom'])
})

const removals: Record<string, (ctx: Context) => unknown> = {
  'clear()': (ctx) => ctx.session.clear(),
  'destroy()': (ctx) => ctx.session.destroy(),
  'ctx.session = null': (ctx) => void (ctx.session = null)
}

for (const [what, remove] of Object.entries(removals)) {
  for (const status of [401, 500]) {
    test(`${what} is carried out although the handler then throws a ${status}`, async (t) => {
      const { client, record } = await startStory(t, {
        '/set': set,
        '/': async (ctx) => {
          await remove(ctx)
          ctx.throw(status)
        }
      })
      await client.get('/set')
      const thief = client.copy()
      const answer = await client.get('/')
      t.is(answer.status, status)
      t.is(await record(thief), undefined)
      t.is(answer.setCookie.length, 1)
      t.is(client.cookie('session'), undefined)
    })
  }
}

test('after regenerate(), a 500 carries the new cookie too', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/': async (ctx) => {
      await ctx.session.regenerate()
      throw new Error('boom')
    }
  })
  await client.get('/set')
  const thief = client.copy()
  t.is((await client.get('/')).status, 500)
  t.not(client.cookie('session'), thief.cookie('session'))
  t.is(await record(thief), undefined)
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('after save(), a 500 carries the cookie too, and later changes are dropped', async (t) => {
  const { client, record } = await startStory(t, {
    '/': async (ctx) => {
      ctx.session.user = 'momo'
      await ctx.session.save()
      ctx.session.user = 'lin'
      throw new Error('boom')
    }
  })
  t.is((await client.get('/')).status, 500)
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('the handler\'s own error is never replaced by one of the store', async (t) => {
  for (const status of [401, 500]) {
    const { client, errors, store } = await startStory(
      t,
      {
        '/set': set,
        '/': (ctx) => {
          ctx.session.user = 'lin'
          store.fault = () => Promise.reject(new Error('down'))
          throw Object.assign(new Error('mine'), { status, expose: true })
        }
      },
      { saveOnError: true }
    )
    await client.get('/set')
    const answer = await client.get('/')
    t.is(answer.status, status)
    t.is(answer.text, 'mine')
    t.deepEqual(answer.setCookie, [])
    t.true(errors.every(({ message }) => message === 'mine'))
  }
})

test('headers that the handler put on its error stay beside ours, its own Set-Cookie and Vary too', async (t) => {
  const { client } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.user = 'momo'
      ctx.throw(403, 'no', { headers: { 'set-cookie': 'mine=1; path=/', vary: 'Accept', 'x-mine': 'yes' } })
    }
  })
  const { setCookie, headers } = await client.get('/')
  t.deepEqual(new Set(setCookie.map((line) => line.split('=')[0])), new Set(['mine', 'session']))
  t.deepEqual(headers.vary?.toLowerCase().split(/, */).sort(), ['accept', 'cookie'])
  t.is(headers['x-mine'], 'yes')
})

test('the sid is in no property of the error that a logger sees', async (t) => {
  const { app, client } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.user = 'momo'
      ctx.throw(400, 'no', { headers: { 'x-mine': 'yes' } })
    }
  })
  const logged: string[] = []
  app.on('error', (error: Error & { headers?: object }) => {
    const hidden = inspect(error, { depth: 9, showHidden: true, getters: true })
    logged.push(inspect(error, { depth: 9 }), JSON.stringify(error), hidden, JSON.stringify(error.headers))
  })
  const { headers } = await client.get('/')
  t.is(headers['x-mine'], 'yes')
  t.is(logged.length, 4)
  t.is(logged[3], '{"x-mine":"yes"}')
  t.false(logged.join('').includes(client.cookie('session')!.split('.')[0]!))
})

test('one error object thrown for two clients does not carry one\'s cookie to the other', async (t) => {
  const shared = Object.assign(new Error('shared'), { status: 400, expose: true })
  const { client, origin } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.user = ctx.query['user']
      throw shared
    },
    '/plain': () => {
      throw shared
    }
  })
  await client.get('/?user=momo')
  const other = new Client(origin)
  t.deepEqual((await other.get('/plain')).setCookie, [])
  t.false('headers' in shared)
  t.is((await other.get('/?user=lin')).setCookie.length, 1)
  t.not(other.cookie('session'), client.cookie('session'))
})

test('an error that the application itself handles does not drop the changes of the request', async (t) => {
  const { client, record } = await startStory(t, {
    '/': (ctx) => {
      ctx.session.user = 'momo'
      try {
        throw new Error('handled')
      } catch {
        return 'fine'
      }
    }
  })
  t.is((await client.get('/')).text, 'fine')
  t.deepEqual((await record())?.data, { user: 'momo' })
})

test('an error of a middleware that is mounted before the session loses neither cookie nor Vary', async (t) => {
  const app = createApp()
  app.silent = true
  app.use(async (_ctx, next) => {
    await next()
    throw new Error('too late')
  })
  app.use(session({ store: memoryStore() }))
  app.use((ctx) => void (ctx.session.user = 'momo'))
  const { status, setCookie, headers } = await new Client(await startApp(t, app)).get('/')
  t.is(status, 500)
  t.is(setCookie.length, 1)
  t.is(headers.vary, 'Cookie')
  t.is(headers['cache-control'], 'no-store')
})

test('a middleware that is mounted before the session and answers its errors sends the cookie too', async (t) => {
  const app = createApp()
  app.use(async (ctx, next) => {
    try {
      await next()
    } catch {
      ctx.status = 418
      ctx.body = 'answered'
    }
  })
  app.use(session({ store: memoryStore() }))
  app.use((ctx) => {
    ctx.session.user = 'momo'
    ctx.throw(400)
  })
  const { status, text, setCookie } = await new Client(await startApp(t, app)).get('/')
  t.is(status, 418)
  t.is(text, 'answered')
  t.is(setCookie.length, 1)
})
