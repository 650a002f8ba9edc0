import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import Koa, { type Middleware } from 'koa'
import koaSession from 'koa-session'
import { session as keepsake } from '../../src/index.js'
import { handlers, plainCount, type Dialect } from './handlers.js'
import { keepsakeStore, koaSessionStore } from './stores.js'
import { Texts } from './texts.js'

/** A session library, as the race uses it. */
export interface Library extends Dialect {
  name: string
  version: string
  middleware(app: Koa, texts: Texts): Middleware
}

const require = createRequire(import.meta.url)

export const koaSessionLibrary: Library = {
  name: 'koa-session',
  version: versionOf('koa-session/package.json'),
  middleware: (app, texts) => koaSession({ store: koaSessionStore(texts) }, app),
  count: plainCount,
  async secureLogin(session) {
    session.user = 'Momo'
    await session.regenerate()
  }
}

export const keepsakeLibrary: Library = {
  name: 'koa-keepsake',
  version: versionOf('../../package.json'),
  middleware: (_app, texts) => keepsake({ store: keepsakeStore(texts) }),
  count: (session) => void session.increment('count'),
  async secureLogin(session) {
    await session.loginAs('Momo')
    session.user = 'Momo'
  }
}

/** Starts an application with the library on a free port of the loopback interface, lets `visit` use it, and closes it. */
export async function withApp<T>(library: Library, visit: (origin: string) => Promise<T>): Promise<T> {
  const app = new Koa()
  app.keys = [randomBytes(32).toString('base64url')]
  app.use(library.middleware(app, new Texts()))
  app.use(handlers(library).routes())
  const answer = app.callback()
  const server = createServer((request, response) => void answer(request, response))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  try {
    return await visit(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}

function versionOf(file: string): string {
  return (require(file) as { version: string }).version
}
