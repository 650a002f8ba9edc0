import type { Context } from 'koa'
import onHeaders from 'on-headers'
import { SessionError } from '../errors.js'
import { privateCacheControl } from './cache-control.js'
import { warnOfWrongSecure } from './secure-warning.js'
import type { SessionCookie } from './session-cookie.js'
import type { Keys } from './signing-keys.js'
import { warnOnce } from '../warn-once.js'

/** The largest cookie that a browser keeps, in bytes: name, value and attributes (RFC 6265 section 6.1). */
const largestCookie = 4096
const none: readonly string[] = Object.freeze([])

/**
 * The session cookie in the response of one request, and the headers that belong to it.
 *
 * The response must tell the client what was done to the store. So once a cookie is set, this checks the headers again just before they leave:
 * an application may have replaced `Set-Cookie`, copied the headers of another server or passed its own to `writeHead`.
 */
export class ResponseCookie {
  readonly #ctx: Context
  readonly #cookie: SessionCookie
  /** The option `keys`. Absent: `app.keys` at the moment when a cookie is sent. */
  readonly #keys: Keys | undefined
  /** The line that sets or removes the session's cookie. */
  #line: string | undefined
  /** The lines that clear the cookie in earlier scopes, and the cookies of an earlier session library. */
  #clearingLines = none
  /** The clearing lines and the line: every `Set-Cookie` of ours that the response should have. */
  #lines = none
  /** Every line that was ours at some time in this response, to recognise those that another one has replaced. */
  #ownLines = none
  /** The response depends on the cookie. */
  #varies = false
  /** The listener for the moment before the headers leave is registered. */
  #listens = false
  #beforeHeaders: (() => void) | undefined

  constructor(ctx: Context, cookie: SessionCookie, keys: Keys | undefined) {
    this.#ctx = ctx
    this.#cookie = cookie
    this.#keys = keys
  }

  get headersSent(): boolean {
    return this.#ctx.res.headersSent
  }

  /**
   * Sets the cookie of a session. It replaces a cookie that was set before.
   *
   * @param payload the record's text in base64url, if the cookie carries the record.
   * @param expires milliseconds since the epoch. Absent: the cookie ends with the browser.
   * @throws SessionError `ERR_SESSION_TOO_LARGE` if the payload makes the cookie larger than 4096 bytes.
   */
  send(sid: string, payload: string | undefined, expires: number | undefined): void {
    const line = this.#cookie.write(sid, payload, this.#keys ?? this.#ctx.app.keys, this.#isTls(), expires)
    if (payload !== undefined && line.length > largestCookie) {
      throw new SessionError(
        'ERR_SESSION_TOO_LARGE',
        `the session's cookie has ${line.length} bytes, but browsers keep only ${largestCookie}: store less, or use a store such as fileStore()`
      )
    }
    warnOfWrongSecure(this.#ctx, this.#cookie.secure)
    this.#set(line)
  }

  /** Withdraws a cookie that was set before. If the client has sent one, removes it there. */
  clear(): void {
    this.#set(this.#cookie.isIn(this.#ctx.req.headers.cookie) ? this.#cookie.clear(this.#isTls()) : undefined)
  }

  /** Removes the cookies that the client has in the scopes of `cookie.previous`. */
  clearPrevious(): void {
    this.#alsoClear(this.#cookie.clearPrevious(this.#isTls()))
  }

  /** Reports whether our cookie replaces the other one in a browser. */
  replaces(other: SessionCookie): boolean {
    return this.#cookie.replaces(other)
  }

  /** Removes the cookies of an earlier session library that the client has, unless ours replaces them. */
  clearOthers(cookies: readonly SessionCookie[]): void {
    const { req, secure } = this.#ctx
    const present = cookies.filter((cookie) => cookie.isIn(req.headers.cookie) && !this.#cookie.replaces(cookie))
    this.#alsoClear(present.map((cookie) => cookie.clear(cookie.secure === 'auto' && secure)))
  }

  /** Says in `Vary` that the response depends on the cookie (RFC 9110 section 12.5.5). */
  vary(): void {
    if (this.headersSent) return
    this.#varies = true
    const { res } = this.#ctx
    const present = res.getHeader('Vary')
    if (present === undefined) res.setHeader('Vary', 'Cookie')
    else if (present !== 'Cookie') this.#ctx.vary('Cookie')
  }

  /**
   * Calls the listener once, just before the headers leave, when it can still set a cookie. Only the listener of the first call counts.
   *
   * @param listener must not throw: the error would come out of the application's own `writeHead()` or `end()`.
   */
  beforeHeaders(listener: () => void): void {
    this.#beforeHeaders ??= listener
    this.#listen()
  }

  /** Sets the headers again just before they leave. Koa is about to remove every header, because it answers an error. */
  keep(): void {
    if (this.#varies) this.#listen()
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
    this.#lines = line === undefined ? this.#clearingLines : [...this.#clearingLines, line]
    this.#ownLines = this.#ownLines.length === 0 ? this.#lines : [...new Set([...this.#ownLines, ...this.#lines])]
    if (this.#ownLines.length === 0) return
    this.#restore()
    this.#listen()
  }

  /** Listens for the moment before the headers leave, once. */
  #listen(): void {
    if (this.#listens || this.headersSent) return
    this.#listens = true
    onHeaders(this.#ctx.res, () => {
      this.#beforeHeaders?.()
      this.#restore()
    })
  }

  #restore(): void {
    if (this.#ownLines.length > 0) this.#restoreLines()
    if (this.#lines.length > 0) this.#restoreCacheControl()
    if (this.#varies || this.#lines.length > 0) this.vary()
  }

  /** Puts our lines after the application's own, each once. */
  #restoreLines(): void {
    const { res } = this.#ctx
    const present = linesOf(res.getHeader('Set-Cookie'))
    if (this.#hasOurLines(present)) return
    const lines = present.filter((line) => !this.#ownLines.includes(line))
    lines.push(...this.#lines)
    if (lines.length > 0) res.setHeader('Set-Cookie', lines)
    else res.removeHeader('Set-Cookie')
  }

  /** Reports whether the response has each of our lines once, and no line of ours that was replaced. */
  #hasOurLines(present: readonly string[]): boolean {
    let own = 0
    for (const line of present) if (this.#ownLines.includes(line)) own++
    if (own !== this.#lines.length) return false
    for (const line of this.#lines) if (!present.includes(line)) return false
    return true
  }

  /** Keeps shared caches from storing the response: they would give one visitor's cookie to another (RFC 9111 section 7.3). */
  #restoreCacheControl(): void {
    const { res } = this.#ctx
    const present = res.getHeader('Cache-Control')
    if (present === undefined) res.setHeader('Cache-Control', 'no-store')
    if (present === undefined || present === 'no-store') return
    const made = privateCacheControl([present].flat().join(', '))
    if (made === undefined) return
    res.setHeader('Cache-Control', made.value)
    if (!made.wasShared) return
    warnOnce(
      'a response that sets the session cookie had a Cache-Control that lets shared caches store it, and was made private, because a cache would ' +
        "give one visitor's session to the next: use private or no-store where a session is new, changed or refreshed"
    )
  }
}

function linesOf(header: number | string | string[] | undefined): string[] {
  if (header === undefined) return []
  return Array.isArray(header) ? header : [String(header)]
}
