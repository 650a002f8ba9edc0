import { createStore, type SessionStore } from '../../store/index.js'
import { AdapterBackend } from './adapter-backend.js'
import { adapterOf } from './adapter-of.js'
import type { ForeignStore } from './foreign-store.js'
import { locksFor } from './key-locks.js'

type Callback = (error?: unknown, session?: unknown) => void

/** A store for express-session: an object of a class that extends `session.Store`. */
export interface ExpressStore {
  get(sid: string, callback: Callback): unknown
  set(sid: string, session: never, callback?: Callback): unknown
  destroy(sid: string, callback?: Callback): unknown
}

interface Callable {
  get(sid: string, callback: Callback): unknown
  set(sid: string, session: object, callback: Callback): unknown
  destroy(sid: string, callback: Callback): unknown
}

/**
 * Makes a store of one that was written for express-session, such as connect-mongo, connect-pg-simple or session-file-store.
 *
 * The promises hold within one process only: requests in two processes may overwrite each other's changes, and a late save in one may
 * bring back a session that was logged out in another. Every adapter of a store must be given the same object. `close()` does not close it.
 *
 * @throws TypeError for anything but such a store.
 * @example
 * app.use(session({ store: fromExpressStore(MongoStore.create({ mongoUrl })) }))   // MongoStore of connect-mongo
 */
export function fromExpressStore(store: ExpressStore): SessionStore {
  const where = 'fromExpressStore(store)'
  const adapter = adapterOf(store)
  if (adapter === 'fromKoaSessionStore') throw new TypeError(`${where}: store does not extend express-session's Store: use fromKoaSessionStore(store)`)
  if (!adapter) throw new TypeError(`${where}: store must be one for express-session, with the methods get, set and destroy`)
  const foreign = withPromises(store)
  return createStore({ name: 'express-session', backendName: () => 'fromExpressStore(store)', whenSlow: 'look at the backend of the wrapped store', backend: (scope) => new AdapterBackend(foreign, locksFor(store), scope) })
}

function withPromises(store: Callable): ForeignStore {
  return {
    async get(key) {
      try {
        return await callWithCallback((callback) => store.get(key, callback))
      } catch (error) {
        // express-session treats this error as "no session" too, because session-file-store has it for a missing session.
        if ((error as { code?: unknown } | undefined)?.code === 'ENOENT') return undefined
        throw error
      }
    },
    set: async (key, session) => void (await callWithCallback((callback) => store.set(key, session, callback))),
    destroy: async (key) => void (await callWithCallback((callback) => store.destroy(key, callback)))
  }
}

/** Waits for the callback. The value that the call itself returns matters only if it is a promise that rejects. */
function callWithCallback(call: (callback: Callback) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const returned = call((error, session) => {
      if (error === undefined || error === null) resolve(session)
      else reject(error)
    })
    Promise.resolve(returned).catch(reject)
  })
}
