import test from 'ava'
import type { Context } from 'koa'
import { inspect } from 'node:util'
import { createSid, defineErrorHeaders, ResponseCookie } from '../../src/cookie/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, koas, sorted, startClient } from './koa-app.js'
import { cookieOf } from './subjects.js'

for (const [version, App] of koas) {
  const start = (t: Parameters<typeof startClient>[0], handler: Parameters<typeof startClient>[1]) => startClient(t, handler, { App })

  for (const status of [400, 401, 404, 500, 503]) {
    test(`${version}: cookie, Vary and Cache-Control are on the response to a ${status}, beside the error's own headers`, async (t) => {
      const client = await start(t, ({ ctx, send }) => {
        ctx.set('X-Mine', 'gone, as Koa does it')
        send()
        ctx.throw(status, 'wrong password', { headers: { 'WWW-Authenticate': 'Basic' } })
      })
      const { status: got, headers, setCookie } = await client.get('/')
      t.is(got, status)
      t.is(headers['x-mine'], undefined)
      t.is(headers['www-authenticate'], 'Basic')
      t.is(headers.vary, 'Cookie')
      t.is(headers['cache-control'], 'no-store')
      t.is(sorted(setCookie).ours, 1)
    })
  }

  test(`${version}: a response that only depends on the cookie keeps Vary, and gets no cookie`, async (t) => {
    const client = await start(t, ({ ctx, cookie }) => {
      cookie.vary()
      ctx.throw(403)
    })
    const { headers, setCookie } = await client.get('/')
    t.deepEqual([headers.vary, headers['cache-control'], setCookie], ['Cookie', undefined, []])
  })

  test(`${version}: an error of a request that did not use its session has no headers of ours`, async (t) => {
    const client = await start(t, ({ ctx }) => ctx.throw(403))
    const { headers, setCookie } = await client.get('/')
    t.deepEqual([headers.vary, headers['cache-control'], setCookie], [undefined, undefined, []])
  })

  test(`${version}: Set-Cookie, Vary and Cache-Control of the error stay beside ours`, async (t) => {
    const client = await start(t, ({ ctx, send }) => {
      send()
      ctx.throw(403, 'no', { headers: { 'set-cookie': 'mine=1; path=/', VARY: 'Accept', 'Cache-Control': 'public, max-age=60' } })
    })
    const { headers, setCookie } = await client.get('/')
    t.deepEqual(sorted(setCookie), { others: ['mine=1; path=/'], ours: 1 })
    t.is(headers.vary, 'Accept, Cookie')
    t.is(headers['cache-control'], 'private, max-age=60')
  })

  test(`${version}: the cookie is on the response for any thrown value`, async (t) => {
    const things: unknown[] = ['text', 7, {}, [], Object.create(null), new TypeError('an error')]
    const client = await start(t, ({ ctx, send }) => {
      send()
      throw things[Number(ctx.query['n'])]
    })
    for (const n of things.keys()) {
      t.is(sorted((await client.get(`/?n=${n}`)).setCookie).ours, 1, inspect(things[n]))
    }
  })

  test(`${version}: two sessions of one request both reach the client`, async (t) => {
    const other = cookieOf({ name: 'other' })
    const others = new WeakMap<object, ResponseCookie>()
    const app = createApp(
      ({ ctx, send }) => {
        send()
        const second = new ResponseCookie(ctx, other, undefined)
        others.set(ctx, second)
        second.send(createSid(), undefined, undefined)
        ctx.throw(409)
      },
      { App }
    )
    defineErrorHeaders(app.context, (ctx) => others.get(ctx))
    const { setCookie, headers } = await new Client(await startApp(t, app)).get('/')
    t.deepEqual(new Set(setCookie.map((line) => line.split('=')[0])), new Set(['other', 'session']))
    t.is(setCookie.length, 2)
    t.is(headers.vary, 'Cookie')
  })
}

test('no listener of the application sees the sid on the error, and the error is left as it was', async (t) => {
  const shared = Object.assign(new Error('shared'), { status: 400, expose: true, headers: { 'x-mine': 'yes' } })
  const logged: string[] = []
  let sid = ''
  const app = createApp(({ ctx, send }) => {
    if (ctx.path === '/') sid = send()
    throw shared
  })
  app.on('error', (error: Error & { headers: object }) => {
    logged.push(inspect(error, { depth: 9, showHidden: true, getters: true }), JSON.stringify(error.headers))
  })
  const client = new Client(await startApp(t, app))
  t.is((await client.get('/')).headers['x-mine'], 'yes')
  t.is(logged.length, 2)
  t.is(logged[1], '{"x-mine":"yes"}')
  t.false(logged.join('').includes(sid))
  t.deepEqual(shared.headers, { 'x-mine': 'yes' })
  const plain = await client.get('/plain')
  t.deepEqual([plain.setCookie, plain.headers.vary], [[], undefined])
})

test('an error handler of the application that writes the head itself sends the cookie too', async (t) => {
  const app = createApp(({ ctx, send }) => {
    send()
    ctx.throw(400)
  })
  // As koa-onerror does it: in the place of Koa's handler, after the session was first seen.
  Object.assign(app.context, {
    onerror(this: Context, error: unknown) {
      if (error === null || error === undefined) return
      for (const name of this.res.getHeaderNames()) this.res.removeHeader(name)
      this.res.writeHead(418, { 'Content-Type': 'text/plain' }).end('short and stout')
    }
  })
  const { status, setCookie, headers } = await new Client(await startApp(t, app)).get('/')
  t.is(status, 418)
  t.is(sorted(setCookie).ours, 1)
  t.is(headers.vary, 'Cookie')
})

test('the handler is wrapped once for each function, and still gets every error', async (t) => {
  const seen: unknown[] = []
  const context = { onerror: (error: unknown) => void seen.push(error) }
  let asked = 0
  const of = () => (asked++, undefined)
  for (let n = 0; n < 3; n++) defineErrorHeaders(context as unknown as Parameters<typeof defineErrorHeaders>[0], of)
  const error = new Error('one')
  for (const each of [error, null, undefined]) context.onerror(each)
  t.deepEqual(seen, [error, null, undefined])
  t.is(asked, 1)
})
