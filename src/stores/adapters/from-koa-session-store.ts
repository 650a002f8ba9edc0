import { createStore, type SessionStore } from '../../store/index.js'
import { AdapterBackend } from './adapter-backend.js'
import { adapterOf } from './adapter-of.js'
import type { ForeignStore } from './foreign-store.js'
import { locksFor } from './key-locks.js'

/** A store for koa-session, koa-generic-session or koa-session-minimal. */
export interface KoaSessionStore {
  get(key: string, ...more: never[]): unknown
  set(key: string, session: never, ...more: never[]): unknown
  destroy(key: string, ...more: never[]): unknown
}

interface Callable {
  get(key: string, maxAge: undefined, data: { rolling: boolean }): unknown
  set(key: string, session: object, maxAge: number, data: { rolling: boolean; changed: boolean }): unknown
  destroy(key: string, data: object): unknown
}

/**
 * Makes a store of one that was written for koa-session, koa-generic-session or koa-session-minimal, such as koa-redis.
 *
 * The promises hold within one process only: requests in two processes may overwrite each other's changes, and a late save in one may
 * bring back a session that was logged out in another. Every adapter of a store must be given the same object. `close()` does not close it.
 *
 * @throws TypeError for anything but such a store.
 * @example
 * app.use(session({ store: fromKoaSessionStore(redisStore({ url })) }))   // redisStore of koa-redis
 */
export function fromKoaSessionStore(store: KoaSessionStore): SessionStore {
  const where = 'fromKoaSessionStore(store)'
  const adapter = adapterOf(store)
  if (adapter === 'fromExpressStore') throw new TypeError(`${where}: store is one for express-session: use fromExpressStore(store)`)
  if (!adapter) throw new TypeError(`${where}: store must have the methods get, set and destroy`)
  const foreign = withPromises(store)
  return createStore({ name: 'koa-session', backendName: () => 'fromKoaSessionStore(store)', whenSlow: 'look at the backend of the wrapped store', backend: (scope) => new AdapterBackend(foreign, locksFor(store), scope) })
}

function withPromises(store: Callable): ForeignStore {
  return {
    get: async (key) => awaited(store.get(key, undefined, { rolling: false })),
    set: async (key, session, ttl) => void (await awaited(store.set(key, session, ttl, { rolling: false, changed: true }))),
    destroy: async (key) => void (await awaited(store.destroy(key, {})))
  }
}

function awaited(answer: unknown): unknown {
  if (Object.prototype.toString.call(answer) !== '[object Generator]') return answer
  throw new TypeError('fromKoaSessionStore(store): store has generator functions, which nobody runs: wrap its methods with co.wrap()')
}
