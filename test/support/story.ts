import Koa from 'koa'
import { memoryStore, session, type SessionRecord, type SessionStore } from '../../src/index.js'
import { startApp, type Cleanup } from './app.js'
import { Client } from './client.js'
import { idOf } from './events.js'
import { watchStore, type WatchedStore } from './store.js'

export type Options = NonNullable<Parameters<typeof session>[0]>
export type Handler = (ctx: Koa.Context) => unknown
export type Routes = Record<string, Handler>

/** An app with sessions in memory, a client of it, and everything that a test looks at. */
export interface Story {
  app: Koa
  origin: string
  client: Client
  store: WatchedStore
  time: Clock
  /** The errors that the app's `error` event reported. */
  errors: Error[]
  /** The stored record of the client's session. */
  record: (client?: Client) => Promise<SessionRecord | undefined>
}

export interface Clock {
  now: () => number
  pass(ms: number): void
}

export const secret = 'a secret of more than thirty-two characters'
export const minute = 60_000
export const hour = 60 * minute
export const day = 24 * hour

export function createClock(): Clock {
  let at = Date.UTC(2026, 0, 1)
  return { now: () => at, pass: (ms) => void (at += ms) }
}

/**
 * Starts an app with the given handlers by path. The return value of a handler is the body. The `store` in the options is watched. Absent: a
 * store in memory. The default of `storeTimeout` is long, because slowness on a busy machine is no failure.
 */
export async function startStory(t: Cleanup, routes: Routes, options: Options & { https?: boolean; host?: string } = {}): Promise<Story> {
  const { https = false, host, ...rest } = options
  const time = createClock()
  const store = watchStore((rest.store as SessionStore | undefined) ?? memoryStore())
  const app = createApp()
  app.proxy = https
  app.use(session({ now: time.now, storeTimeout: minute, ...rest, store }))
  app.use(routesOf(routes))
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  const origin = await startApp(t, app)
  const client = new Client(origin, { now: time.now, https, ...(host !== undefined && { host }) })
  const record = async (whose = client) => {
    const value = whose.cookies.find(({ name }) => name === (rest.name ?? 'session'))?.value
    return value === undefined ? undefined : store.peek(idOf(value))
  }
  return { app, origin, client, store, time, errors, record }
}

/** A Koa app with a key and nothing else. */
export function createApp(): Koa {
  const app = new Koa()
  app.keys = [secret]
  return app
}

export function routesOf(routes: Routes): Koa.Middleware {
  return async function dispatch(ctx, next) {
    const handler = routes[ctx.path]
    if (!handler) return next()
    const body: unknown = await handler(ctx)
    if (body !== undefined) ctx.body = body
    else if (ctx.status === 404 && ctx.respond !== false) ctx.status = 204
    return undefined
  }
}
