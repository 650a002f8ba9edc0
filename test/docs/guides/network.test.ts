import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import type Koa from 'koa'
import { WebSocket } from 'ws'
import { startApp, type Cleanup } from '../../support/app.js'
import { Client } from '../../support/client.js'
import { testGuides, type WithApp } from './guide.js'

const load = testGuides([
  { page: 'websocket-and-sse', exports: ['server'], replace: [['server.listen(3000)', "server.listen(0, '127.0.0.1')"], ['wait(1000)', 'wait(10)']] },
  { page: 'behind-a-proxy', exports: ['app', 'strict'], replace: [["app.listen(3000, '127.0.0.1')", '']] },
  { page: 'oauth', exports: ['app'] },
  { page: 'two-applications', exports: ['shop', 'blog', 'www', 'api', 'app'] }
])

/** The status with which an upgrade is refused. */
async function refused(socket: WebSocket): Promise<number | undefined> {
  socket.on('error', () => {})
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, IncomingMessage]
  return response.statusCode
}

test('websocket-and-sse.md: sockets and events are for the user who is logged in, and end with the session', async (t) => {
  const { server } = await load<{ server: Server }>('websocket-and-sse')
  if (!server.listening) await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  const { port } = server.address() as AddressInfo
  const client = new Client(`http://127.0.0.1:${port}`)
  const open = (origin: string, cookie: string) => new WebSocket(`ws://127.0.0.1:${port}`, { origin, headers: { cookie } })

  t.is(await refused(open(client.origin, '')), 401)
  t.is((await client.get('/events')).status, 401)
  await client.post('/login')
  const cookie = client.cookieHeader('/')
  t.is(await refused(open('https://evil.example', cookie)), 401)
  const socket = open(client.origin, cookie)
  await once(socket, 'open')
  socket.send('hi')
  t.is(String(((await once(socket, 'message')) as [Buffer])[0]), 'momo said hi')

  const [stream] = (await once(get(`${client.origin}/events`, { headers: { cookie } }), 'response')) as [IncomingMessage]
  t.is(stream.headers['set-cookie'], undefined)
  let text = ''
  const ended = once(stream.setEncoding('utf8').on('data', (part: string) => (text += part)), 'end')
  await client.post('/logout')
  await ended
  t.regex(text, /^data: hello momo\n\n[^]*event: logout\ndata:\n\n$/)
  socket.send('hi')
  t.is(((await once(socket, 'close')) as [number])[0], 4401)
})

test('behind-a-proxy.md: with app.proxy the cookie is Secure, and __Host- needs no app.proxy', async (t) => {
  const { app, strict } = await load<WithApp & { strict: Koa }>('behind-a-proxy')
  const client = new Client(await startApp(t, app), { host: 'shop.example', https: true })
  for (const n of [1, 2]) t.is((await client.get('/')).text, `https, visit ${n}`)
  t.true(client.cookies[0]!.secure)
  strict.use((ctx) => {
    ctx.body = String(ctx.session.increment('visits'))
  })
  const other = new Client(await startApp(t, strict), { host: 'shop.example', https: true })
  for (const n of [1, 2]) t.is((await other.get('/')).text, String(n))
  t.deepEqual(other.cookies.map(({ name, secure }) => [name, secure]), [['__Host-session', true]])
})

/** A provider that lets everybody in as momo. */
async function startProvider(t: Cleanup): Promise<string> {
  const server = createServer((_request, response) => void response.end('{"user":"momo"}')).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close().closeAllConnections())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

test('oauth.md: a callback logs in once, and only in the browser where the login began', async (t) => {
  process.env['PROVIDER'] = await startProvider(t)
  const { app } = await load<WithApp>('oauth')
  app.silent = true
  const client = new Client(await startApp(t, app), { https: true })
  const begin = new URL((await client.get('/oauth/start')).headers.location!)
  t.is(begin.origin, process.env['PROVIDER'])
  const callback = `/oauth/callback?code=1&state=${begin.searchParams.get('state')}`
  t.is((await new Client(client.origin).get(callback)).status, 400)
  const both = await Promise.all([client.get(callback), client.get(callback)])
  t.deepEqual(new Set(both.map(({ status }) => status)), new Set([302, 400]))
  t.is((await client.get('/')).text, 'momo')
})

test('two-applications.md: two applications on one host name have a session each, or share one', async (t) => {
  const { shop, blog, www, api, app } = await load<Record<'shop' | 'blog' | 'www' | 'api' | 'app', Koa>>('two-applications')
  for (const each of [shop, blog, www, api]) {
    each.use((ctx) => {
      ctx.body = String(ctx.session.increment('visits'))
    })
  }
  const browser = new Client(await startApp(t, shop), { host: 'www.example.com', https: true })
  const [atBlog, atWww, atApi] = await Promise.all([blog, www, api].map(async (each) => browser.at(await startApp(t, each))))
  for (const n of ['1', '2']) for (const each of [browser, atBlog!]) t.is((await each.get('/')).text, n)
  t.is((await atWww!.get('/')).text, '1')
  t.is((await atApi!.get('/')).text, '2', 'they share a session')

  app.use((ctx) => {
    const { staff } = ctx as unknown as { staff?: typeof ctx.session }
    ctx.body = `${ctx.session.increment('n')} ${staff?.increment('n') ?? '-'}`
  })
  const visitor = new Client(await startApp(t, app))
  t.deepEqual([(await visitor.get('/')).text, (await visitor.get('/staff')).text, (await visitor.get('/staff')).text], ['1 -', '2 1', '3 2'])
  t.deepEqual(visitor.cookies.map(({ name, path }) => `${name} ${path}`), ['visitor /', 'staff /staff'])
})
