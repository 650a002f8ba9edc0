import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { WebSocket, WebSocketServer } from 'ws'
import { memoryStore, session } from '../../src/index.js'
import { Client } from '../support/client.js'
import { createApp, routesOf, secret } from '../support/story.js'

/** An application and a WebSocketServer on one port. A message to the user's sockets is sent only while the session lives. */
async function start(t: ExecutionContext) {
  const sessions = session({ store: memoryStore(), keys: [secret] })
  const app = createApp()
  app.use(sessions).use(routesOf({ '/login': (ctx) => ctx.session.loginAs('momo'), '/logout': (ctx) => ctx.session.destroy() }))
  const callback = app.callback()
  const server = createServer((request, response) => void callback(request, response))
  const sockets = new WebSocketServer({ noServer: true })
  server.on('upgrade', (request, socket, head) => {
    async function upgrade(): Promise<void> {
      const visitor = await sessions.read(request)
      if (visitor?.owner === undefined) return void socket.end('HTTP/1.1 401 Unauthorized\r\n\r\n')
      sockets.handleUpgrade(request, socket, head, (opened) => {
        opened.on('message', () => void answer(opened, visitor.id, visitor.owner!))
      })
    }
    upgrade().catch(() => socket.end('HTTP/1.1 503 Service Unavailable\r\n\r\n'))
  })
  async function answer(socket: WebSocket, id: string, owner: string): Promise<void> {
    if (await sessions.find(id)) socket.send(owner)
    else socket.close(4401, 'logged out')
  }
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    sockets.close()
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const open = (client: Client) => new WebSocket(`ws://127.0.0.1:${port}`, { headers: { cookie: client.cookieHeader('/') } })
  return { client: new Client(`http://127.0.0.1:${port}`), open }
}

test('a WebSocket of ws opens for the user who is logged in at Koa, and closes when the session has ended', async (t) => {
  const { client, open } = await start(t)
  await client.get('/login')
  const socket = open(client)
  t.teardown(() => socket.terminate())
  await once(socket, 'open')
  socket.send('who am I?')
  const [message] = (await once(socket, 'message')) as [Buffer]
  t.is(message.toString(), 'momo')
  await client.get('/logout')
  const closed = once(socket, 'close') as Promise<[number, Buffer]>
  socket.send('who am I?')
  t.is((await closed)[0], 4401)
})

test('a WebSocket of a visitor is refused with 401', async (t) => {
  const { client, open } = await start(t)
  const socket = open(client)
  socket.on('error', () => {})
  const [, response] = (await once(socket, 'unexpected-response')) as [unknown, { statusCode: number }]
  t.is(response.statusCode, 401)
})
