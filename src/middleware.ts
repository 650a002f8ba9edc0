import { STATUS_CODES } from 'node:http'
import type Application from 'koa'
import type { Context, Middleware, Next } from 'koa'
import { isDataObject } from './check.js'
import { createCookie } from './cookie.js'
import { Exchange } from './exchange.js'
import type { Session } from './members.js'
import { resolveOptions, type SessionOptions } from './options.js'
import { ResponseCookie } from './response.js'
import { createSession } from './session.js'
import { TimedStore } from './timed-store.js'

declare module 'koa' {
  interface BaseContext {
    get session(): Session
    set session(value: Session | object | null)
  }
}

/** One request's session. */
interface Visit {
  readonly exchange: Exchange
  readonly outlet: ResponseCookie
  session: Session | undefined
}

/**
 * Sessions for a Koa application: `ctx.session`.
 *
 * @throws TypeError for options that are wrong; SessionError `ERR_SESSION_KEYS` for empty keys.
 * @example
 * app.keys = [process.env.SECRET_KEY]
 * app.use(session({ store: fileStore({ dir: 'var/sessions' }), lifetime: 7 * 24 * 3600_000 }))
 */
export function session(options?: SessionOptions): Middleware {
  const settings = resolveOptions(options)
  const cookie = createCookie(settings)
  const { store, cookieStore, as, skip, now, saveOnError, storeTimeout } = settings
  const timed = store && new TimedStore(store, storeTimeout)
  const slot = Symbol(`koa-keepsake ${as}`)
  const cookieSlot = Symbol.for(`koa-keepsake cookie ${cookie.name}`)
  let defined: object | undefined

  return async function keepsake(ctx: Context, next: Next): Promise<void> {
    if (slot in ctx || skip?.(ctx)) return next() as Promise<void>
    const { context } = ctx.app
    if (context !== defined) {
      defineOn(context, as, slot)
      defined = context
    }
    // Of the two cookies only one would come back, and with it one of the two sessions.
    if (cookieSlot in ctx) {
      throw new TypeError(`session(options): another session of this request has the cookie "${cookie.name}": give one of the two another name with the option name`)
    }
    ;(ctx as { [cookieSlot]?: true })[cookieSlot] = true
    const keys = settings.keys ?? ctx.app.keys
    const { cookie: header } = ctx.req.headers
    const token = cookie.read(header, keys)
    const carried = cookieStore?.carry(token, now)
    const outlet = new ResponseCookie(ctx, cookie, settings.keys, carried)
    const exchange = new Exchange(settings, carried ? new TimedStore(carried, storeTimeout) : timed!, outlet)
    ;(ctx as { [slot]?: Visit })[slot] = { exchange, outlet, session: undefined }

    let thrown: { error: unknown } | undefined
    try {
      if (token) await exchange.open(token)
      await next()
    } catch (error) {
      thrown = { error }
    }
    try {
      const status = thrown ? statusOf(thrown.error) : ctx.status
      await exchange.close(status >= 500 && !saveOnError)
    } catch (error) {
      // The handler's own error is never replaced by one of ours; ours was told as an event.
      thrown ??= { error }
    }
    if (exchange.isUsed) outlet.vary()
    if (thrown) throw thrown.error
  }
}

/**
 * Defines `ctx.session` on the application's context, once: an accessor defined on each `ctx` costs 37 µs a request. And
 * once for all requests, errors are handed to Koa by way of the response's cookie.
 *
 * @throws TypeError when the property is somebody else's.
 */
function defineOn(context: Application['context'], as: string, slot: symbol): void {
  const known = owners.get(context)
  if (known?.get(as) === slot) return
  if (as in context) {
    throw new TypeError(`session(options): ctx.${as} is defined already on this application: give one of the two another name with the option as`)
  }
  Object.defineProperty(context, as, {
    configurable: true,
    get(this: { [slot]?: Visit }) {
      const visit = this[slot]
      return visit && (visit.session ??= createSession(visit.exchange))
    },
    set(this: { [slot]?: Visit }, value: unknown) {
      const visit = this[slot]
      if (!visit) throw new TypeError(`ctx.${as}: this request has no session: it was skipped, or session() is mounted after this`)
      if (value !== null && !isDataObject(value)) {
        throw new TypeError(`ctx.${as}: expected an object with the data, or null to destroy the session`)
      }
      if (value === null) visit.exchange.doom()
      else if (value !== visit.session) {
        // Copied first: it may be made of the session's own values.
        const data = { ...value }
        visit.session ??= createSession(visit.exchange)
        visit.session.clear()
        visit.session.update(data)
      }
    }
  })
  const onerror = Reflect.get(context, 'onerror') as (this: Context, error: unknown) => void
  Object.assign(context, {
    onerror(this: Context & { [slot]?: Visit }, thrown: unknown) {
      const pass = (error: unknown) => onerror.call(this, error)
      const visit = this[slot]
      if (visit) visit.outlet.raise(thrown, pass)
      else pass(thrown)
    }
  })
  if (known) known.set(as, slot)
  else owners.set(context, new Map([[as, slot]]))
}

const owners = new WeakMap<object, Map<string, symbol>>()

/** The status that Koa's error handler will answer with. */
function statusOf(error: unknown): number {
  const { status, statusCode } = (error ?? {}) as { status?: unknown; statusCode?: unknown }
  const given = status || statusCode
  return typeof given === 'number' && given in STATUS_CODES ? given : 500
}
