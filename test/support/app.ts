import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RequestListener } from 'node:http'
import { once } from 'node:events'

/** The method of AVA's `t` that registers cleanup, or any object with it. */
export interface Cleanup {
  teardown(fn: () => unknown): void
}

/** Anything with Koa's `callback()`. */
export interface App {
  callback(): RequestListener
}

/** Starts an app on a free loopback port and returns its origin, `http://127.0.0.1:…`. The app is closed after the test. */
export async function startApp(t: Cleanup, app: App): Promise<string> {
  const server = createServer(app.callback())
  // The client keeps connections. If this process stands still for seconds, none of them may end just before its next request.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
  )
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}
