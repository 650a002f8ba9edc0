import { once } from 'node:events'
import { connect, createSecureServer, type ClientHttp2Session, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { memoryStore, session } from '../../src/index.js'
import { createCertificate, tlsTest } from '../support/certificate.js'
import { createApp, routesOf } from '../support/story.js'

async function get(client: ClientHttp2Session, path: string, headers: OutgoingHttpHeaders = {}) {
  const stream = client.request({ ':path': path, ...headers })
  const [head] = (await once(stream, 'response')) as [IncomingHttpHeaders]
  return { head, body: await text(stream) }
}

tlsTest('sessions work over HTTP/2: the cookie is Secure, its parts may come in separate header fields, and streams of one connection merge', async (t) => {
  const app = createApp()
  app.use(session({ store: memoryStore() }))
  app.use(routesOf({ '/count': (ctx) => ({ n: ctx.session.increment('n') }), '/get': (ctx) => ({ n: ctx.session.get('n', null) }) }))
  const server = createSecureServer(createCertificate(), app.callback() as never).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const client = connect(`https://127.0.0.1:${(server.address() as AddressInfo).port}`, { rejectUnauthorized: false })
  t.teardown(() => {
    client.destroy()
    server.close()
  })
  const first = await get(client, '/count')
  t.is(Number(first.head[':status']), 200)
  const [line] = first.head['set-cookie']!
  t.regex(line!, /; Secure/)
  const cookie = line!.slice(0, line!.indexOf(';'))
  // RFC 9113 section 8.2.3: a client may send each cookie in a field of its own.
  const cookies = ['theme=dark', cookie, 'lang=en']
  await Promise.all(Array.from({ length: 20 }, () => get(client, '/count', { cookie: cookies })))
  t.is((await get(client, '/get', { cookie: cookies })).body, '{"n":21}')
})
