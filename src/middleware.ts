import { STATUS_CODES } from 'node:http'
import type { Context, Middleware, Next } from 'koa'
import { createCookie } from './cookie.js'
import { SessionError } from './errors.js'
import { Exchange, type Outlet } from './exchange.js'
import { resolveOptions, type SessionOptions, type Settings } from './options.js'
import { createSession, type Session } from './session.js'
import type { SessionRecord } from './store.js'
import type { CarriedStore } from './stores/cookie.js'

declare module 'koa' {
  interface BaseContext {
    get session(): Session
    set session(value: Session | object | null)
  }
}

// A browser keeps no larger cookie (RFC 6265 section 6.1: name, value and attributes).
const largestCookie = 4096

/** One request's session. */
interface Visit {
  readonly exchange: Exchange
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
  const { store, cookieStore, as, skip, now, saveOnError } = settings
  const slot = Symbol(`koa-keepsake ${as}`)
  let defined: object | undefined

  return async function keepsake(ctx: Context, next: Next): Promise<void> {
    if (slot in ctx || skip?.(ctx)) return next() as Promise<void>
    if (ctx.app.context !== defined) defineOn((defined = ctx.app.context), as, slot)
    const keys = settings.keys ?? ctx.app.keys
    const { cookie: header } = ctx.req.headers
    const token = cookie.read(header, keys)
    const carried = cookieStore?.carry(token, now)
    const outlet = new ResponseCookie(ctx, settings, cookie, keys, carried)
    const exchange = new Exchange(settings, carried ?? store!, outlet)
    ;(ctx as { [slot]?: Visit })[slot] = { exchange, session: undefined }

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
    if (thrown) {
      outlet.surviveErrors()
      throw thrown.error
    }
  }
}

/**
 * Defines `ctx.session` on the application's context, once: an accessor defined on each `ctx` costs 37 µs a request.
 *
 * @throws TypeError when the property is somebody else's.
 */
function defineOn(context: object, as: string, slot: symbol): void {
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
  if (known) known.set(as, slot)
  else owners.set(context, new Map([[as, slot]]))
}

/** Not an array, a Map or the like, whose content would be lost or come out as something else. */
function isDataObject(value: unknown): value is object {
  return Object.prototype.toString.call(value) === '[object Object]'
}

const owners = new WeakMap<object, Map<string, symbol>>()

/** The session cookie in the response of one request. */
class ResponseCookie implements Outlet {
  readonly carries: boolean
  readonly #ctx: Context
  readonly #settings: Settings
  readonly #cookie: ReturnType<typeof createCookie>
  readonly #keys: unknown
  readonly #carried: CarriedStore | undefined
  /** The `Set-Cookie` line that stands in the response. */
  #line: string | undefined
  #survives = false

  constructor(ctx: Context, settings: Settings, cookie: ReturnType<typeof createCookie>, keys: unknown, carried: CarriedStore | undefined) {
    this.#ctx = ctx
    this.#settings = settings
    this.#cookie = cookie
    this.#keys = keys
    this.#carried = carried
    this.carries = carried !== undefined
  }

  get closed(): boolean {
    return this.#ctx.res.headersSent
  }

  send(sid: string, { id, permanent, expires }: SessionRecord): void {
    const payload = this.#carried?.payload(id)
    const line = this.#cookie.write(sid, payload, this.#keys, this.#isSecure(), permanent ? expires : undefined)
    if (payload !== undefined && line.length > largestCookie) {
      throw new SessionError(
        'ERR_SESSION_TOO_LARGE',
        `the session's cookie has ${line.length} bytes, browsers keep ${largestCookie}: store less, or use a store such as fileStore()`
      )
    }
    this.#put(line)
  }

  clear(): void {
    this.#put(this.#cookie.isIn(this.#ctx.req.headers.cookie) ? this.#cookie.clear(this.#isSecure()) : undefined)
  }

  /** The response depends on the cookie (RFC 9110 section 12.5.5). */
  vary(): void {
    if (!this.closed) this.#ctx.vary('Cookie')
  }

  /**
   * Koa's error handler removes every header but those of the error, and with them the cookie of a session that was
   * created or destroyed. So ours are on the error while that handler runs, which is synchronous, and no longer: an error
   * that is thrown again elsewhere (a constant, a cached rejection) must not carry this client's cookie to another. It
   * holds for whatever error arrives there, also for one of a middleware that stands before the session.
   */
  surviveErrors(): void {
    if (this.#survives) return
    this.#survives = true
    const ctx = this.#ctx
    const onerror = ctx.onerror.bind(ctx)
    const guarded = (error: RaisedError | null) => {
      const given = Object.getOwnPropertyDescriptor(error ?? {}, 'headers')
      try {
        const value = this.#withOurs(error?.headers ?? {})
        // Not enumerable: whoever logs the error with its properties must not log the sid.
        if (error && !this.closed) Object.defineProperty(error, 'headers', { value, enumerable: false, configurable: true })
      } catch {
        // An error that is frozen or no object keeps what it has.
      }
      try {
        onerror(error as RaisedError)
      } finally {
        if (error && given) Object.defineProperty(error, 'headers', given)
        else if (error) delete error.headers
      }
    }
    Object.assign(ctx, { onerror: guarded })
  }

  #withOurs(given: ErrorHeaders): ErrorHeaders {
    const { response } = this.#ctx
    const headers = { ...given }
    const nameOf = (name: string) => Object.keys(given).find((key) => key.toLowerCase() === name) ?? name
    const vary = mergedVary([given[nameOf('vary')] ?? [], response.get('Vary')].flat().join())
    if (vary) headers[nameOf('vary')] = vary
    if (this.#line !== undefined) {
      headers[nameOf('set-cookie')] = [given[nameOf('set-cookie')] ?? [], this.#line].flat()
      headers[nameOf('cache-control')] ??= response.get('Cache-Control')
    }
    return headers
  }

  #isSecure(): boolean {
    const { secure } = this.#settings.cookie
    return secure === 'auto' ? this.#ctx.secure : secure
  }

  /** Replaces the session's line among the response's cookies. */
  #put(line: string | undefined): void {
    if (this.closed) return
    const { res, response } = this.#ctx
    const start = `${this.#settings.name}=`
    const others = [res.getHeader('Set-Cookie') ?? []].flat().map(String).filter((other) => !other.startsWith(start))
    if (line !== undefined) others.push(line)
    if (others.length > 0) res.setHeader('Set-Cookie', others)
    else res.removeHeader('Set-Cookie')
    this.#line = line
    // A shared cache must not hand one visitor's cookie to another (RFC 9111 section 7.3).
    if (line !== undefined && !response.get('Cache-Control')) response.set('Cache-Control', 'no-store')
    if (line !== undefined) this.vary()
    this.surviveErrors()
  }
}

type ErrorHeaders = Record<string, string | string[]>
type RaisedError = Error & { headers?: ErrorHeaders }

/** Every name of the list once. */
function mergedVary(list: string): string {
  const names = new Map(list.split(',').map((name): [string, string] => [name.trim().toLowerCase(), name.trim()]))
  names.delete('')
  return names.has('*') ? '*' : [...names.values()].join(', ')
}

/** The status that Koa's error handler will answer with. */
function statusOf(error: unknown): number {
  const { status, statusCode } = (error ?? {}) as { status?: unknown; statusCode?: unknown }
  const given = status || statusCode
  return typeof given === 'number' && given in STATUS_CODES ? given : 500
}
