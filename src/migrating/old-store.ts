import { assertOption, kindOf } from '../checks.js'

/** A store of koa-session, koa-generic-session or koa-session-minimal, by the methods that a bridge uses. */
export interface OldStore {
  get(key: string, ...more: never[]): unknown
  destroy(key: string, ...more: never[]): unknown
}

/** A store for express-session, by the methods that a bridge uses. */
export interface OldExpressStore {
  get(sid: string, callback: (error?: unknown, session?: unknown) => void): unknown
  destroy(sid: string, callback?: (error?: unknown) => void): unknown
}

export function assertOldStore(where: string, store: unknown): void {
  const methods = (store ?? {}) as Record<string, unknown>
  const passes = typeof methods['get'] === 'function' && typeof methods['destroy'] === 'function'
  assertOption(where, 'store', store, passes, 'the store of the old application, with the methods get and destroy', kindOf)
}

/** Waits for the answer of a store's method. @throws TypeError for a generator, which nobody would run. */
export async function answerOf(where: string, answer: unknown): Promise<unknown> {
  if (Object.prototype.toString.call(answer) !== '[object Generator]') return answer
  throw new TypeError(`${where}: the methods of store are generator functions: wrap them with co.wrap()`)
}

/** Waits for the callback of a method of an express-session store. */
export function callWithCallback(call: (callback: (error?: unknown, session?: unknown) => void) => unknown): Promise<unknown> {
  return new Promise((resolve, reject) => {
    call((error, session) => {
      // express-session treats ENOENT as "no session", because stores on files have it for a missing session.
      if (!error || (error as { code?: unknown }).code === 'ENOENT') resolve(error ? undefined : session)
      else reject(error)
    })
  })
}
