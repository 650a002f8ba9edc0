import type { Context } from 'koa'
import { assertTokenFits } from './largest-token.js'
import { ResponseHeaders } from './response-headers.js'
import type { ResponseToken } from './response-token.js'
import { warnOfWrongSecure } from './secure-warning.js'
import type { SessionCookie } from './session-cookie.js'
import type { Keys } from './signing-keys.js'

const none: readonly string[] = Object.freeze([])

/** The session cookie in the response of one request. */
export class ResponseCookie implements ResponseToken {
  readonly #ctx: Context
  readonly #headers: ResponseHeaders
  readonly #cookie: SessionCookie
  /** The option `keys`. Absent: `app.keys` at the moment when a cookie is sent. */
  readonly #keys: Keys | undefined
  /** The line that sets or removes the session's cookie. */
  #line: string | undefined
  /** The lines that clear the cookie in earlier scopes, and the cookies of an earlier session library. */
  #clearingLines = none

  constructor(ctx: Context, cookie: SessionCookie, keys: Keys | undefined) {
    this.#ctx = ctx
    this.#headers = new ResponseHeaders(ctx, 'Cookie')
    this.#cookie = cookie
    this.#keys = keys
  }

  get headersSent(): boolean {
    return this.#headers.sent
  }

  send(sid: string, payload: string | undefined, expires: number | undefined): void {
    const line = this.#cookie.write(sid, payload, this.#keys ?? this.#ctx.app.keys, this.#isTls(), expires)
    if (payload !== undefined) assertTokenFits('cookie', line)
    warnOfWrongSecure(this.#ctx, this.#cookie.secure)
    this.#set(line)
  }

  clear(): void {
    this.#set(this.#cookie.isIn(this.#ctx.req.headers.cookie) ? this.#cookie.clearingLine(this.#isTls()) : undefined)
  }

  /** Removes the cookies that the client has in the scopes of `cookie.previous`. */
  clearPrevious(): void {
    this.#alsoClear(this.#cookie.previousClearingLines(this.#isTls()))
  }

  replaces(other: SessionCookie): boolean {
    return this.#cookie.replaces(other)
  }

  clearOthers(cookies: readonly SessionCookie[]): void {
    this.#alsoClear(clearingLines(cookies.filter((cookie) => !this.#cookie.replaces(cookie)), this.#ctx))
  }

  vary(): void {
    this.#headers.vary()
  }

  beforeHeaders(listener: () => void): void {
    this.#headers.beforeHeaders(listener)
  }

  keep(): void {
    this.#headers.keep()
  }

  /** Reports whether the request came over TLS. It matters only with `secure: 'auto'`, so only then it asks Koa. */
  #isTls(): boolean {
    return this.#cookie.secure === 'auto' && this.#ctx.secure
  }

  #alsoClear(lines: readonly string[]): void {
    if (lines.length === 0) return
    this.#clearingLines = [...new Set([...this.#clearingLines, ...lines])]
    this.#set(this.#line)
  }

  #set(line: string | undefined): void {
    if (this.headersSent) return
    this.#line = line
    this.#headers.setCookies(line === undefined ? this.#clearingLines : [...this.#clearingLines, line])
  }
}

/** The `Set-Cookie` lines that remove those of the cookies that the client has sent. */
export function clearingLines(cookies: readonly SessionCookie[], { req, secure }: Context): readonly string[] {
  return cookies.filter((cookie) => cookie.isIn(req.headers.cookie)).map((cookie) => cookie.clearingLine(cookie.secure === 'auto' && secure))
}
