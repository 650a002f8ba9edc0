import { once } from 'node:events'
import { request as forward } from 'node:http'
import { createServer, request } from 'node:https'
import type { IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { ExecutionContext } from 'ava'
import { memoryStore, session, type CookieOptions } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { createCertificate, tlsTest } from '../support/certificate.js'
import { createApp, routesOf } from '../support/story.js'

interface Given {
  /** `app.proxy`. */
  readonly proxy: boolean
  readonly cookie?: CookieOptions
  readonly name?: string
}

/** An application behind a proxy that ends TLS, as nginx does. */
async function start(t: ExecutionContext, { proxy, ...options }: Given) {
  const app = createApp()
  app.proxy = proxy
  app.use(session({ store: memoryStore(), ...options }))
  app.use(routesOf({ '/': (ctx) => ({ n: ctx.session.increment('n'), secure: ctx.secure }) }))
  const origin = new URL(await startApp(t, app))
  const server = createServer(createCertificate(), (incoming, outgoing) => {
    const headers = { ...incoming.headers, 'x-forwarded-proto': 'https', 'x-forwarded-for': incoming.socket.remoteAddress }
    const upstream = forward(origin, { method: incoming.method, path: incoming.url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode!, answer.headers)
      answer.pipe(outgoing)
    })
    incoming.pipe(upstream)
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  return async (cookie = '') => {
    const [answer] = (await once(request({ port, host: '127.0.0.1', path: '/', rejectUnauthorized: false, headers: { host: 'shop.example', cookie } }).end(), 'response')) as [IncomingMessage]
    const line = answer.headers['set-cookie']?.[0] ?? ''
    return { body: await json(answer), line, cookie: line.slice(0, line.indexOf(';')) }
  }
}

tlsTest('behind a proxy that ends TLS, app.proxy makes the cookie Secure and its SameSite=None real', async (t) => {
  const get = await start(t, { proxy: true, cookie: { sameSite: 'none' } })
  const first = await get()
  t.deepEqual(first.body, { n: 1, secure: true })
  t.regex(first.line, /; Secure; SameSite=None$/)
  t.deepEqual((await get(first.cookie)).body, { n: 2, secure: true })
})

tlsTest('without app.proxy, the cookie works but is not Secure; secure: true makes it so in any case, and __Host- too', async (t) => {
  const plain = await start(t, { proxy: false })
  const first = await plain()
  t.deepEqual(first.body, { n: 1, secure: false })
  t.notRegex(first.line, /Secure/)
  t.deepEqual((await plain(first.cookie)).body, { n: 2, secure: false })
  const always = await start(t, { proxy: false, cookie: { secure: true }, name: '__Host-session' })
  const second = await always()
  t.regex(second.line, /^__Host-session=.*; Path=\/; HttpOnly; Secure; SameSite=Lax$/)
  t.deepEqual((await always(second.cookie)).body, { n: 2, secure: false })
})
