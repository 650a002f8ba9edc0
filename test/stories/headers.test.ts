import test from 'ava'
import type { Context } from 'koa'
import { startStory } from '../support/story.js'

const set = (ctx: Context) => void (ctx.session.user = 'momo')

test('a response has Vary: Cookie exactly if its request read or set the session', async (t) => {
  const { client } = await startStory(t, { '/set': set, '/read': (ctx) => String(ctx.session.user), '/not': () => 'static' }, { refreshEachRequest: false })
  t.is((await client.get('/not')).headers.vary, undefined)
  t.is((await client.get('/read')).headers.vary, 'Cookie')
  t.is((await client.get('/set')).headers.vary, 'Cookie')
  t.is((await client.get('/read')).headers.vary, 'Cookie')
  t.is((await client.get('/not')).headers.vary, undefined)
})

for (const vary of ['Cookie', 'cookie', 'Accept, Cookie', 'accept-encoding, COOKIE']) {
  test(`Vary: ${vary} of the application gets no second Cookie`, async (t) => {
    const { client } = await startStory(t, {
      '/': (ctx) => {
        ctx.set('Vary', vary)
        set(ctx)
      }
    })
    t.is((await client.get('/')).headers.vary?.match(/cookie/gi)?.length, 1)
  })
}

test('a Vary of the application is kept beside ours, and * stays *', async (t) => {
  const { client } = await startStory(t, {
    '/': (ctx) => {
      ctx.set('Vary', 'Accept')
      set(ctx)
    },
    '/star': (ctx) => {
      ctx.set('Vary', '*')
      set(ctx)
    }
  })
  t.is((await client.get('/')).headers.vary, 'Accept, Cookie')
  t.is((await client.get('/star')).headers.vary, '*')
})

test('Vary is not repeated by save() and the end of the request', async (t) => {
  const { client } = await startStory(t, {
    '/': async (ctx) => {
      set(ctx)
      await ctx.session.save()
      ctx.session.set('more', 1)
    }
  })
  t.is((await client.get('/')).headers.vary, 'Cookie')
})

test('a response that sets a cookie has Cache-Control: no-store', async (t) => {
  const { client } = await startStory(t, { '/set': set, '/read': (ctx) => String(ctx.session.user), '/clear': (ctx) => ctx.session.clear() })
  t.is((await client.get('/read')).headers['cache-control'], undefined)
  t.is((await client.get('/set')).headers['cache-control'], 'no-store')
  t.is((await client.get('/read')).headers['cache-control'], undefined)
  t.is((await client.get('/clear')).headers['cache-control'], 'no-store')
})

test('a Cache-Control that the application has set stays', async (t) => {
  const { client } = await startStory(t, {
    '/': (ctx) => {
      ctx.set('Cache-Control', 'private, max-age=60')
      set(ctx)
    }
  })
  t.is((await client.get('/')).headers['cache-control'], 'private, max-age=60')
})

test('cookies that the application sets stay beside ours', async (t) => {
  const { client } = await startStory(t, {
    '/': (ctx) => {
      ctx.cookies.set('theme', 'dark', { signed: false })
      set(ctx)
      ctx.append('Set-Cookie', 'plain=1')
    }
  })
  await client.get('/')
  t.is(client.cookie('theme'), 'dark')
  t.is(client.cookie('plain'), '1')
  t.truthy(client.cookie('session'))
})

test('a cookie of the same name that the application removes from another path stays beside ours', async (t) => {
  const old = 'session=; Path=/old; Expires=Thu, 01 Jan 1970 00:00:00 GMT'
  const { client } = await startStory(t, {
    '/': async (ctx) => {
      ctx.append('Set-Cookie', old)
      ctx.session.user = 'momo'
      await ctx.session.save()
      await ctx.session.regenerate()
    }
  })
  const { setCookie } = await client.get('/')
  t.is(setCookie.length, 2)
  t.is(setCookie[0], old)
})

test('secure auto follows the request: Secure over TLS, none over plain HTTP', async (t) => {
  const tls = await startStory(t, { '/': set }, { https: true })
  t.regex((await tls.client.get('/')).setCookie[0]!, /; secure/i)
  const plain = await startStory(t, { '/': set })
  t.notRegex((await plain.client.get('/')).setCookie[0]!, /; secure/i)
})

test('a secure cookie is set although the application behind a proxy does not know of TLS', async (t) => {
  const { client } = await startStory(t, { '/': set }, { cookie: { secure: true } })
  const { status, setCookie } = await client.get('/')
  t.is(status, 204)
  t.regex(setCookie[0]!, /; secure/i)
})

test('every attribute that was asked for is in the cookie', async (t) => {
  const cookie = { domain: 'example.test', path: '/shop', secure: true, sameSite: 'none', partitioned: true, priority: 'high', httpOnly: true } as const
  const { client } = await startStory(t, { '/shop': set }, { cookie, https: true, host: 'www.example.test' })
  const { setCookie } = await client.get('/shop')
  for (const part of [/; path=\/shop(;|$)/i, /; domain=example\.test(;|$)/i, /; secure(;|$)/i, /; samesite=none/i, /; partitioned(;|$)/i, /; priority=high/i, /; httponly(;|$)/i]) {
    t.regex(setCookie[0]!, part)
  }
})
