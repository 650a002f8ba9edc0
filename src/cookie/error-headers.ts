import type Application from 'koa'
import type { Context } from 'koa'
import type { ResponseToken } from './response-token.js'

type ResponseTokenOf = (ctx: Context) => ResponseToken | undefined

/** The functions that were defined on each application's context, so that none is defined twice. */
const defined = new WeakMap<object, Set<ResponseTokenOf>>()

/**
 * Makes the application keep the headers of a session on the response to an error.
 *
 * Koa's error handler removes every header but those of the error. The session's headers are set again just before the headers leave, and
 * not put on the error: a listener of the application's `error` event would log the sid, and an error that is thrown again elsewhere (a
 * constant, a cached rejection) would give one client's cookie to another. This works for every error that reaches the handler, also one
 * from a middleware that is mounted before the session.
 */
export function defineErrorHeaders(context: Application['context'], responseTokenOf: ResponseTokenOf): void {
  const all = defined.get(context) ?? new Set()
  if (all.has(responseTokenOf)) return
  all.add(responseTokenOf)
  defined.set(context, all)
  const onerror = Reflect.get(context, 'onerror') as (this: Context, error: unknown) => void
  Object.assign(context, {
    onerror(this: Context, error: unknown): void {
      // Koa also calls this at the end of each response, without an error.
      if (error !== null && error !== undefined) responseTokenOf(this)?.keep()
      onerror.call(this, error)
    }
  })
}
