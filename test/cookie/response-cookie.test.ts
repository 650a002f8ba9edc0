import test from 'ava'
import { once } from 'node:events'
import { createServer as createHttp2, connect } from 'node:http2'
import type { AddressInfo } from 'node:net'
import type { Context } from 'koa'
import onHeaders from 'on-headers'
import { createSid, ResponseCookie } from '../../src/cookie/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, koas, sorted, startClient } from './koa-app.js'
import { cookieOf, issue, secret } from './subjects.js'

/** The process warnings since the start of this file. */
const warnings: Error[] = []
process.on('warning', (warning) => warnings.push(warning))
const warningsOf = (text: string) => warnings.filter(({ message }) => message.includes(text))

/** Changes that an application makes to the headers after the cookie was set, and its own cookies that the response must then have. */
const replacements: readonly [what: string, replace: (ctx: Context) => void, others: string[]][] = [
  ["ctx.set('Set-Cookie', text)", (ctx) => ctx.set('Set-Cookie', 'theme=dark'), ['theme=dark']],
  ["ctx.set('set-cookie', list)", (ctx) => ctx.set('set-cookie', ['a=1', 'b=2']), ['a=1', 'b=2']],
  ["ctx.remove('Set-Cookie')", (ctx) => ctx.remove('Set-Cookie'), []],
  ['ctx.append()', (ctx) => ctx.append('Set-Cookie', 'theme=dark'), ['theme=dark']],
  ['ctx.cookies.set()', (ctx) => void ctx.cookies.set('theme', 'dark', { signed: false }), ['theme=dark; path=/; httponly']],
  ['a copy of the header, twice', (ctx) => ctx.set('Set-Cookie', [ctx.response.get('Set-Cookie'), 'theme=dark', ctx.response.get('Set-Cookie')].flat()), ['theme=dark']],
  ['the headers of another server', (ctx) => ctx.set({ 'Set-Cookie': ['up=1', 'stream=2'], 'X-Up': 'yes' } as unknown as Record<string, string>), ['up=1', 'stream=2']],
  ['removing every header', (ctx) => ctx.res.getHeaderNames().forEach((name) => ctx.res.removeHeader(name)), []],
  ['writeHead(status, object)', (ctx) => ctx.res.writeHead(200, { 'Set-Cookie': 'theme=dark' }), ['theme=dark']],
  ['writeHead(status, object with a list)', (ctx) => ctx.res.writeHead(200, { 'set-cookie': ['a=1', 'b=2'] }), ['a=1', 'b=2']],
  ['writeHead(status, message, object)', (ctx) => ctx.res.writeHead(200, 'Fine', { 'SET-COOKIE': 'theme=dark' }), ['theme=dark']],
  ['writeHead(status, flat list)', (ctx) => ctx.res.writeHead(200, ['Set-Cookie', 'a=1', 'Set-Cookie', 'b=2']), ['a=1', 'b=2']],
  ['writeHead(status)', (ctx) => ctx.res.writeHead(200), []],
  ['flushHeaders()', (ctx) => ctx.flushHeaders(), []]
]

for (const [version, App] of koas) {
  for (const [what, replace, expected] of replacements) {
    test(`${version}: the cookie is there once when the headers leave, and others as they were: ${what}`, async (t) => {
      let sid: string | undefined
      const client = await startClient(
        t,
        ({ ctx, send }) => {
          sid = send()
          ctx.status = 200
          replace(ctx)
          ctx.respond = false
          ctx.res.end('done')
        },
        { App }
      )
      const { setCookie, headers, status } = await client.get('/')
      t.is(status, 200)
      t.deepEqual(sorted(setCookie), { others: expected, ours: 1 })
      t.is(client.cookie('session')?.split('.')[0], sid)
      t.is(headers.vary, 'Cookie')
      t.is(headers['cache-control'], 'no-store')
    })
  }
}

test('a cookie that clears the session is restored like one that sets it', async (t) => {
  const client = await startClient(t, ({ ctx, cookie }) => {
    cookie.clear()
    ctx.set('Set-Cookie', 'theme=dark')
    ctx.body = 'bye'
  })
  const { setCookie } = await client.get('/', { headers: { cookie: 'session=x' } })
  t.deepEqual(setCookie, ['theme=dark', 'session=; Path=/; HttpOnly; SameSite=Lax; Expires=Thu, 01 Jan 1970 00:00:00 GMT'])
  t.deepEqual((await client.get('/')).setCookie, ['theme=dark'])
})

test('an earlier cookie that the application puts back does not come beside the newest', async (t) => {
  let sid: string | undefined
  const client = await startClient(t, ({ ctx, send }) => {
    ctx.append('Set-Cookie', 'theme=dark')
    send()
    const earlier = ctx.response.get('Set-Cookie')
    sid = send()
    ctx.set('Set-Cookie', earlier)
    ctx.body = 'two logins'
  })
  const { setCookie } = await client.get('/')
  t.deepEqual(sorted(setCookie), { others: ['theme=dark'], ours: 1 })
  t.is(client.cookie('session')?.split('.')[0], sid)
})

test('clear() withdraws a cookie that was to be sent, also when the application puts it back', async (t) => {
  const client = await startClient(t, ({ ctx, cookie, send }) => {
    ctx.append('Set-Cookie', 'theme=dark')
    send()
    const earlier = ctx.response.get('Set-Cookie')
    cookie.clear()
    if (ctx.path === '/back') ctx.set('Set-Cookie', earlier)
    ctx.body = 'never mind'
  })
  t.deepEqual((await client.get('/')).setCookie, ['theme=dark'])
  t.deepEqual((await client.get('/back')).setCookie, ['theme=dark'])
})

test('the cookies of earlier scopes are cleared beside the one that is sent', async (t) => {
  const previous = [{ domain: 'example.test' }, { path: '/app' }, { path: '/app' }]
  const client = await startClient(
    t,
    ({ ctx, cookie, send }) => {
      cookie.clearPrevious()
      send()
      ctx.set('Set-Cookie', 'theme=dark')
      ctx.body = 'moved'
    },
    { cookie: { previous } }
  )
  const { setCookie } = await client.get('/')
  t.is(setCookie.length, 4)
  t.is(setCookie[0], 'theme=dark')
  t.regex(setCookie[1]!, /^session=; Path=\/; Domain=example\.test;.*1970/)
  t.regex(setCookie[2]!, /^session=; Path=\/app;.*1970/)
  t.regex(setCookie[3]!, /^session=[^;]+\.[^;]+; Path=\/;/)
})

test('a listener before the headers runs once and can still set the cookie, in each way of sending headers', async (t) => {
  let runs = 0
  const client = await startClient(t, ({ ctx, cookie, send }) => {
    cookie.beforeHeaders(() => {
      runs++
      send()
    })
    cookie.beforeHeaders(() => t.fail('the first call counts'))
    t.is(ctx.res.getHeader('Set-Cookie'), undefined)
    ctx.respond = false
    if (ctx.path === '/write-head') ctx.res.writeHead(200, { 'Set-Cookie': 'theme=dark', Vary: 'Accept' })
    if (ctx.path === '/flush') ctx.flushHeaders()
    ctx.res.end('done')
  })
  for (const path of ['/', '/write-head', '/flush']) {
    runs = 0
    const { setCookie, headers } = await client.get(path)
    t.is(runs, 1, path)
    t.is(sorted(setCookie).ours, 1, path)
    t.is(headers.vary, path === '/write-head' ? 'Accept, Cookie' : 'Cookie')
    t.is(headers['cache-control'], 'no-store')
  }
})

test('with headers already sent nothing is set, and nothing throws', async (t) => {
  const client = await startClient(t, ({ ctx, cookie, send }) => {
    ctx.status = 200
    ctx.flushHeaders()
    t.true(cookie.headersSent)
    send()
    cookie.clear()
    cookie.clearPrevious()
    cookie.vary()
    cookie.beforeHeaders(() => t.fail('too late'))
    ctx.res.end('late')
    ctx.respond = false
  })
  const { setCookie, headers, text } = await client.get('/')
  t.deepEqual([setCookie, headers.vary, text], [[], undefined, 'late'])
})

for (const [given, expected] of [[undefined, 'Cookie'], ['Cookie', 'Cookie'], ['cookie', 'cookie'], ['Accept', 'Accept, Cookie'], ['Accept, COOKIE', 'Accept, COOKIE'], ['*', '*']] as const) {
  test(`Vary: ${given} becomes ${expected}, however often it is set and restored`, async (t) => {
    const client = await startClient(t, ({ ctx, cookie, send }) => {
      if (given !== undefined) ctx.set('Vary', given)
      cookie.vary()
      cookie.vary()
      if (ctx.path === '/send') {
        send()
        if (given !== undefined) ctx.set('Vary', given)
        else ctx.remove('Vary')
      }
      ctx.body = 'body'
    })
    for (const path of ['/', '/send']) t.is((await client.get(path)).headers.vary, expected, path)
  })
}

const caching: readonly [given: string, expected: string][] = [
  ['public, max-age=60', 'private, max-age=60'], ['max-age=60', 'private, max-age=60'], ['s-maxage=60', 'private'],
  ['private, max-age=60', 'private, max-age=60'], ['no-cache', 'private, no-cache'], ['no-store', 'no-store']
]
for (const [given, expected] of caching) {
  test(`Cache-Control: ${given} of the application leaves as ${expected} beside a cookie, and as it is without`, async (t) => {
    const client = await startClient(t, ({ ctx, cookie, send }) => {
      cookie.vary()
      if (ctx.path === '/before') ctx.set('Cache-Control', given)
      if (ctx.path !== '/none') send()
      if (ctx.path === '/write-head') ctx.res.writeHead(200, { 'Cache-Control': given })
      else if (ctx.path !== '/before') ctx.set('Cache-Control', given)
      ctx.body = 'body'
    })
    for (const path of ['/before', '/after', '/write-head']) t.is((await client.get(path)).headers['cache-control'], expected, path)
    t.is((await client.get('/none')).headers['cache-control'], given)
  })
}

test('a Cache-Control that was made private is one process warning', async (t) => {
  const client = await startClient(t, ({ ctx, send }) => {
    send()
    ctx.set('Cache-Control', 'public')
    ctx.body = 'body'
  })
  for (let n = 0; n < 3; n++) await client.get('/')
  t.is(warningsOf('Cache-Control').length, 1)
})

test('the cookie is signed by the keys of the moment it is sent, or by those of the middleware', async (t) => {
  const own = ['the keys of the middleware, longer than 32 characters']
  const subject = cookieOf()
  const app = createApp(({ ctx }) => {
    ctx.app.keys = ['the keys that the application has since, longer than 32 characters']
    new ResponseCookie(ctx, subject, ctx.path === '/own' ? own : undefined).send(createSid(), undefined, undefined)
    ctx.body = 'signed'
  })
  const client = new Client(await startApp(t, app))
  await client.get('/')
  t.is(subject.read(client.cookieHeader('/'), app.keys).length, 1)
  await client.get('/own')
  t.is(subject.read(client.cookieHeader('/'), own).length, 1)
})

test('a record with which the cookie has more than 4096 bytes is refused with its size, and the cookie before it stays', async (t) => {
  const subject = cookieOf({ carriesRecord: true })
  const client = await startClient(t, ({ ctx }) => {
    const cookie = new ResponseCookie(ctx, subject, [secret])
    const sid = createSid()
    cookie.send(sid, 'A'.repeat(3900), undefined)
    const error = t.throws(() => cookie.send(sid, 'A'.repeat(4000), undefined), { code: 'ERR_SESSION_TOO_LARGE', message: /4\d{3} bytes, but browsers keep only 4096/ })
    t.false(error.message.includes(sid))
    ctx.body = 'kept'
  })
  const { setCookie } = await client.get('/')
  t.is(setCookie.length, 1)
  t.true(setCookie[0]!.length <= 4096)
  t.is(issue(subject, [secret], 'A'.repeat(3900)).length, client.cookieHeader('/').length)
})

test('secure auto follows the request, true always sends Secure', async (t) => {
  const secureOf = async (cookie: { secure: boolean | 'auto' }, proto: string) => {
    const app = createApp(({ ctx, send }) => ((ctx.body = 'x'), send()), { cookie })
    app.proxy = true
    const { setCookie } = await new Client(await startApp(t, app)).get('/', { headers: { 'x-forwarded-proto': proto } })
    return /; Secure/.test(setCookie[0]!)
  }
  t.false(await secureOf({ secure: 'auto' }, 'http'))
  t.true(await secureOf({ secure: 'auto' }, 'https'))
  t.true(await secureOf({ secure: true }, 'http'))
  t.false(await secureOf({ secure: false }, 'https'))
})

test('secure true over plain HTTP warns once, and not on localhost or behind a proxy', async (t) => {
  const client = await startClient(t, ({ ctx, send }) => ((ctx.body = 'x'), send()), { cookie: { secure: true } })
  for (const host of ['localhost', 'localhost:3000', 'app.localhost', '127.0.0.1:3000', '[::1]:3000']) await client.get('/', { headers: { host } })
  for (const header of ['Forwarded', 'Via', 'X-Forwarded-Proto', 'X-Forwarded-For', 'X-Real-IP']) {
    await client.get('/', { headers: { host: 'www.example.test', [header]: '1' } })
  }
  t.deepEqual(warningsOf('plain HTTP'), [])
  for (let n = 0; n < 2; n++) await client.get('/', { headers: { host: 'www.example.test' } })
  t.is(warningsOf('plain HTTP').length, 1)
  t.regex(warningsOf('plain HTTP')[0]!.message, /X-Forwarded-Proto.*'auto'/)
})

test('a listener of on-headers that the application adds later does not lose the cookie', async (t) => {
  const client = await startClient(t, ({ ctx, send }) => {
    send()
    onHeaders(ctx.res, () => void ctx.res.setHeader('Set-Cookie', 'theme=dark'))
    ctx.body = 'body'
  })
  t.deepEqual(sorted((await client.get('/')).setCookie), { others: ['theme=dark'], ours: 1 })
})

test('over HTTP/2 the cookie is there when the headers leave, too', async (t) => {
  const app = createApp(({ ctx, send }) => {
    send()
    if (ctx.path === '/write-head') ctx.res.writeHead(200, { 'set-cookie': 'theme=dark' })
    else ctx.set('Set-Cookie', 'theme=dark')
    ctx.body = 'body'
  })
  const handle = app.callback()
  const server = createHttp2((request, response) => void handle(request, response)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.teardown(() => (session.destroy(), server.close()))
  for (const path of ['/', '/write-head']) {
    const stream = session.request({ ':path': path })
    const [headers] = (await once(stream, 'response')) as [{ 'set-cookie'?: string[]; vary?: string }]
    stream.resume()
    await once(stream, 'close')
    t.deepEqual(sorted(headers['set-cookie'] ?? []), { others: ['theme=dark'], ours: 1 }, path)
    t.is(headers.vary, 'Cookie')
  }
})
