import { format } from 'node:util'
import type { Context } from 'koa'
import type { SessionCookie } from './cookie.js'
import { SessionError } from './errors.js'
import type { Outlet } from './exchange.js'
import type { SessionRecord } from './store.js'
import type { CarriedStore } from './stores/cookie.js'

// A browser keeps no larger cookie (RFC 6265 section 6.1: name, value and attributes).
const largestCookie = 4096

type Headers = Record<string, string | string[]>

/** The session cookie in the response of one request, and the headers that go with it. */
export class ResponseCookie implements Outlet {
  readonly carries: boolean
  readonly #ctx: Context
  readonly #cookie: SessionCookie
  /** The middleware's own; absent, those that the application has when a cookie is sent: it may rotate them meanwhile. */
  readonly #keys: unknown
  readonly #carried: CarriedStore | undefined
  /** The `Set-Cookie` line that stands in the response. */
  #line: string | undefined
  /** Whether there is anything to tell on an error's response. */
  #used = false

  constructor(ctx: Context, cookie: SessionCookie, keys: unknown, carried: CarriedStore | undefined) {
    this.#ctx = ctx
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
    const line = this.#cookie.write(sid, payload, this.#keys ?? this.#ctx.app.keys, this.#isSecure(), permanent ? expires : undefined)
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
    if (this.closed) return
    const { res } = this.#ctx
    const present = res.getHeader('Vary')
    if (present === undefined) res.setHeader('Vary', 'Cookie')
    else if (present !== 'Cookie') this.#ctx.vary('Cookie')
    this.#used = true
  }

  #isSecure(): boolean {
    const { secure } = this.#cookie
    return secure === 'auto' ? this.#ctx.secure : secure
  }

  /** Replaces the session's line among the response's cookies. */
  #put(line: string | undefined): void {
    if (this.closed) return
    const { res } = this.#ctx
    const present = res.getHeader('Set-Cookie')
    const others = present === undefined ? [] : [present].flat().filter((other) => other !== this.#line)
    this.#line = line
    if (line === undefined) {
      if (others.length > 0) res.setHeader('Set-Cookie', others as string[])
      else res.removeHeader('Set-Cookie')
      return
    }
    res.setHeader('Set-Cookie', [...(others as string[]), line])
    // A shared cache must not hand one visitor's cookie to another (RFC 9111 section 7.3).
    if (!res.hasHeader('Cache-Control')) res.setHeader('Cache-Control', 'no-store')
    this.vary()
  }

  /**
   * Hands an error to Koa's handler, which removes every header but those of the error, and with them the cookie of a
   * session that was created or destroyed. So ours are on the error when that handler, which is synchronous, has removed
   * them, and neither before nor after: a listener of the app's `error` event must not log the sid, and an error that is
   * thrown again elsewhere (a constant, a cached rejection) must not carry this client's cookie to another. It holds for
   * whatever error arrives there, also for one of a middleware that stands before the session.
   */
  raise(thrown: unknown, onerror: (error: unknown) => void): void {
    if (thrown === null || thrown === undefined || !this.#used || this.closed) return onerror(thrown)
    // As Koa does, which makes an Error of anything else.
    const isError = thrown instanceof Error || Object.prototype.toString.call(thrown) === '[object Error]'
    const error = (isError ? thrown : new Error(format('non-error thrown: %j', thrown))) as Error & { headers?: Headers }
    const given = Object.getOwnPropertyDescriptor(error, 'headers')
    const own = error.headers
    const withOurs = this.#withOurs(own ?? {})
    const { res } = this.#ctx
    const isSet = Reflect.defineProperty(error, 'headers', {
      get: () => (res.getHeaderNames().length === 0 ? withOurs : own),
      enumerable: false,
      configurable: true
    })
    try {
      onerror(error)
    } finally {
      if (isSet && given) Object.defineProperty(error, 'headers', given)
      else if (isSet) delete error.headers
    }
  }

  /** The error's own headers and ours. */
  #withOurs(given: Headers): Headers {
    const { response } = this.#ctx
    const headers = { ...given }
    const nameOf = (name: string) => Object.keys(given).find((key) => key.toLowerCase() === name) ?? name
    headers[nameOf('vary')] = mergedVary([given[nameOf('vary')] ?? [], response.get('Vary')].flat().join())
    if (this.#line !== undefined) {
      headers[nameOf('set-cookie')] = [given[nameOf('set-cookie')] ?? [], this.#line].flat()
      headers[nameOf('cache-control')] ??= response.get('Cache-Control')
    }
    return headers
  }
}

/** Every name of the list once. */
function mergedVary(list: string): string {
  const names = new Map(list.split(',').map((name): [string, string] => [name.trim().toLowerCase(), name.trim()]))
  names.delete('')
  return names.has('*') ? '*' : [...names.values()].join(', ')
}
