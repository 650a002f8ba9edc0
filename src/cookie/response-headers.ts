import type { Context } from 'koa'
import onHeaders from 'on-headers'
import { reasonOf } from '../errors.js'
import { warnOnce } from '../warn-once.js'
import { privateCacheControl } from './cache-control.js'

const none: readonly string[] = Object.freeze([])

/**
 * The headers of one response that belong to the session.
 *
 * The response must tell the client what was done to the store. So once a token is sent, this checks the headers again just before they leave:
 * an application may have replaced `Set-Cookie`, copied the headers of another server or passed its own to `writeHead`.
 */
export class ResponseHeaders {
  readonly #ctx: Context
  readonly #varyOn: string
  /** Every `Set-Cookie` line of ours that the response should have. */
  #lines = none
  /** Every line that was ours at some time in this response, to recognise those that another one has replaced. */
  #ownLines = none
  /** Writes the token where a carrier puts it. */
  #write: (() => void) | undefined
  /** The response depends on the session. */
  #varies = false
  /** The listener for the moment before the headers leave is registered. */
  #listens = false
  #beforeHeaders: (() => void) | undefined

  /** @param varyOn the request header that has the token. */
  constructor(ctx: Context, varyOn: string) {
    this.#ctx = ctx
    this.#varyOn = varyOn
  }

  get sent(): boolean {
    return this.#ctx.res.headersSent
  }

  /** Makes these lines our part of `Set-Cookie`. They replace those that were set before. */
  setCookies(lines: readonly string[]): void {
    if (this.sent) return
    this.#lines = lines
    this.#ownLines = this.#ownLines.length === 0 ? lines : [...new Set([...this.#ownLines, ...lines])]
    if (this.#ownLines.length === 0) return
    this.#restore()
    this.#listen()
  }

  /** Calls a function that writes the token now, and again just before the headers leave. It replaces an earlier one. */
  writeWith(write: () => void): void {
    if (this.sent) return
    this.#write = write
    this.#restore()
    write()
    this.#listen()
  }

  /** Says in `Vary` that the response depends on the session (RFC 9110 section 12.5.5). */
  vary(): void {
    if (this.sent) return
    this.#varies = true
    const { res } = this.#ctx
    const present = res.getHeader('Vary')
    if (present === undefined) res.setHeader('Vary', this.#varyOn)
    else if (present !== this.#varyOn) this.#ctx.vary(this.#varyOn)
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

  /** Listens for the moment before the headers leave, once. */
  #listen(): void {
    if (this.#listens || this.sent) return
    this.#listens = true
    onHeaders(this.#ctx.res, () => {
      this.#beforeHeaders?.()
      this.#restore()
      this.#writeAgain()
    })
  }

  /** The carrier has written this token before, so an error now would only hide the response. */
  #writeAgain(): void {
    try {
      this.#write?.()
    } catch (error) {
      warnOnce(`carrier.write(ctx, token) threw just before the headers left, so a client may not have its token: ${reasonOf(error)}`)
    }
  }

  #restore(): void {
    const isSent = this.#lines.length > 0 || this.#write !== undefined
    if (this.#ownLines.length > 0) this.#restoreLines()
    if (isSent) this.#restoreCacheControl()
    if (this.#varies || isSent) this.vary()
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

  /** Keeps shared caches from storing the response: they would give one visitor's session to another (RFC 9111 section 7.3). */
  #restoreCacheControl(): void {
    const { res } = this.#ctx
    const present = res.getHeader('Cache-Control')
    if (present === undefined) res.setHeader('Cache-Control', 'no-store')
    if (present === undefined || present === 'no-store') return
    const replacement = privateCacheControl([present].flat().join(', '))
    if (replacement === undefined) return
    res.setHeader('Cache-Control', replacement.value)
    if (!replacement.wasShared) return
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
