import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { RequestListener } from 'node:http'
import { once } from 'node:events'

/** What a test offers to clean up after itself: AVA's `t`, or any stand-in. */
export interface Cleanup {
  teardown(fn: () => unknown): void
}

/** Anything with Koa's `callback()`. */
export interface App {
  callback(): RequestListener
}

/** Starts an app on a free loopback port; it is closed after the test. Answers its origin, `http://127.0.0.1:…`. */
export async function startApp(t: Cleanup, app: App): Promise<string> {
  const server = createServer(app.callback())
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
