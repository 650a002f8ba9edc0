import type Application from 'koa'
import type { Context } from 'koa'
import type { ResponseCookie } from './response-cookie.js'

type ResponseCookieOf = (ctx: Context) => ResponseCookie | undefined

/** What was defined on an application's context, so that it is not defined twice. */
const defined = new WeakMap<object, Set<ResponseCookieOf>>()

/**
 * Keeps our headers on the response to an error, for each `ResponseCookie` that the request has.
 *
 * Koa's error handler removes every header but those of the error. Ours come back at the moment before the headers leave, so they are
 * never on the error itself: a listener of the application's `error` event must not log the sid, and an error that is thrown again
 * elsewhere (a constant, a cached rejection) must not carry one client's cookie to another. It holds for every error that arrives
 * there, also for one of a middleware that stands before the session.
 */
export function defineErrorHeaders(context: Application['context'], responseCookieOf: ResponseCookieOf): void {
  const all = defined.get(context) ?? new Set()
  if (all.has(responseCookieOf)) return
  all.add(responseCookieOf)
  defined.set(context, all)
  const onerror = Reflect.get(context, 'onerror') as (this: Context, error: unknown) => void
  Object.assign(context, {
    onerror(this: Context, error: unknown): void {
      // Koa calls this at the end of each response, then without an error.
      if (error !== null && error !== undefined) responseCookieOf(this)?.keep()
      onerror.call(this, error)
    }
  })
}
