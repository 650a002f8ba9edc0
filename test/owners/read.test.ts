import { once } from 'node:events'
import { createServer, get, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import Koa from 'koa'
import { WebSocket, WebSocketServer } from 'ws'
import { memoryStore, session, SessionError, type Session, type SessionRegistry } from '../../src/index.js'
import { Client } from '../support/client.js'
import { watchStore } from '../support/store.js'
import { routesOf, secret } from '../support/story.js'

test('a WebSocket is opened for the user of the session, which is read only and gets no cookie', async (t) => {
  const { server, sessions, store, browser, origin } = await start(t)
  const sockets = new WebSocketServer({ noServer: true })
  t.teardown(() => sockets.close())
  const upgrades: string[] = []
  sockets.on('headers', (headers) => upgrades.push(...headers))
  server.on('upgrade', (request, socket, head) => {
    async function upgrade(): Promise<void> {
      const visitor = await sessions.read(request)
      if (visitor?.owner === undefined) return void socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
      sockets.handleUpgrade(request, socket, head, (opened) => opened.send(JSON.stringify({ owner: visitor.owner, cart: visitor.data['cart'] })))
    }
    upgrade().catch(() => socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n'))
  })

  await browser.get('/add')
  t.is(await connect(origin, browser), 401, 'a visitor')
  await browser.get('/login')
  const before = await sessions.read({ headers: { cookie: browser.cookieHeader('/') } })
  t.deepEqual(await connect(origin, browser), { owner: 'momo', cart: ['tea'] })
  t.deepEqual(upgrades.filter((line) => /^(set-cookie|vary):/i.test(line)), [])
  t.deepEqual(await sessions.find(before!.id), before, 'neither its deadline nor its revision has moved')

  const forged = new Client(origin)
  forged.keep(`session=${browser.cookie('session')!.slice(0, -1)}x`)
  t.is(await connect(origin, forged), 401)
  t.is(await connect(origin, new Client(origin)), 401)
  store.fault = () => Promise.reject(new Error('the store is down'))
  t.is(await connect(origin, browser), 503, 'a failure of the store is not "no session"')
  store.fault = undefined
  await browser.get('/logout')
  t.is(await connect(origin, browser), 401)
})

test('a handler of node:http sends events to the user of the session, and reads it again to end with it', async (t) => {
  const { sessions, browser } = await start(t)
  const events = createServer((request, response) => {
    async function send(): Promise<void> {
      const visitor = await sessions.read(request)
      if (visitor?.owner === undefined) return void response.writeHead(401).end()
      response.writeHead(200, { 'content-type': 'text/event-stream' })
      for (let number = 1; await sessions.find(visitor.id); number++) {
        response.write(`data: ${number} for ${visitor.owner}\n\n`)
        await once(ticks, 'tick')
      }
      response.end('event: logout\ndata:\n\n')
    }
    void send()
  })
  const ticks = new EventTarget()
  const tick = () => ticks.dispatchEvent(new Event('tick'))
  const origin = await listen(t, events)
  t.is((await open(origin, browser)).statusCode, 401)
  await browser.get('/login')
  const stream = await open(origin, browser)
  t.is(stream.headers['set-cookie'], undefined)
  const chunks = stream.setEncoding('utf8')[Symbol.asyncIterator]()
  const next = async () => (await chunks.next()).value as string
  t.is(await next(), 'data: 1 for momo\n\n')
  tick()
  t.is(await next(), 'data: 2 for momo\n\n')
  t.is(await sessions.endOwnedBy('momo'), 1)
  tick()
  t.is(await next(), 'event: logout\ndata:\n\n')
  t.true((await chunks.next()).done)
})

test('sessions.read needs the option keys until the application has had a request', async (t) => {
  const sessions = session({ store: memoryStore() })
  const app = new Koa()
  app.keys = [secret]
  app.use(sessions).use((ctx) => ctx.session.loginAs('momo'))
  const origin = await listen(t, createServer((request, response) => void app.callback()(request, response)))
  const error = await t.throwsAsync(sessions.read({ headers: {} }), { instanceOf: SessionError, code: 'ERR_SESSION_KEYS' })
  t.regex(error.message, /give session\(\) the option keys \(app\.keys is known only after the first request/)
  const browser = new Client(origin)
  await browser.get('/')
  t.is((await sessions.read({ headers: { cookie: browser.cookieHeader('/') } }))?.owner, 'momo')
  t.is(await session({ store: memoryStore(), signed: false }).read({ headers: { cookie: `session=${'x'.repeat(43)}` } }), undefined, 'without a signature there is no key to know')
})

interface Stage {
  server: Server
  sessions: SessionRegistry
  store: ReturnType<typeof watchStore>
  browser: Client
  origin: string
}

async function start(t: ExecutionContext): Promise<Stage> {
  const store = watchStore(memoryStore())
  const sessions = session({ store, keys: [secret], touchAfter: 0 })
  const app = new Koa()
  app.silent = true
  app.use(sessions).use(
    routesOf({
      '/add': ({ session: visitor }: { session: Session }) => void visitor.change('cart', (cart: string[] = []) => [...cart, 'tea']),
      '/login': (ctx) => ctx.session.loginAs('momo'),
      '/logout': (ctx) => ctx.session.destroy()
    })
  )
  const callback = app.callback()
  const server = createServer((request, response) => void callback(request, response))
  const origin = await listen(t, server)
  return { server, sessions, store, browser: new Client(origin), origin }
}

async function listen(t: ExecutionContext, server: Server): Promise<string> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

/** What the server sends first, or the status with which it refuses the upgrade. */
async function connect(origin: string, browser: Client): Promise<unknown> {
  const socket = new WebSocket(origin.replace('http', 'ws'), { headers: { cookie: browser.cookieHeader('/') } })
  try {
    return await new Promise((resolve, reject) => {
      socket.on('message', (data: Buffer) => resolve(JSON.parse(data.toString())))
      socket.on('unexpected-response', (_, response) => resolve(response.statusCode))
      socket.on('error', reject)
    })
  } finally {
    socket.terminate()
  }
}

async function open(origin: string, browser: Client): Promise<IncomingMessage> {
  const [response] = (await once(get(origin, { headers: { cookie: browser.cookieHeader('/') } }), 'response')) as [IncomingMessage]
  return response
}
