import type { Context } from 'koa'
import { readCarrier, type Carrier } from './carrier.js'
import { assertTokenFits } from './largest-token.js'
import { clearingLines } from './response-cookie.js'
import { ResponseHeaders } from './response-headers.js'
import type { ResponseToken } from './response-token.js'
import type { SessionCookie } from './session-cookie.js'
import type { Keys } from './signing-keys.js'
import type { TokenSigner } from './token.js'

/** The token that a carrier gives to the client in the response of one request. */
export class ResponseCarrier implements ResponseToken {
  readonly #ctx: Context
  readonly #headers: ResponseHeaders
  readonly #carrier: Carrier
  readonly #signer: TokenSigner
  /** The option `keys`. Absent: `app.keys` at the moment when a token is sent. */
  readonly #keys: Keys | undefined
  /** The carrier has written a token or the absence of one. */
  #hasWritten = false

  constructor(ctx: Context, carrier: Carrier, signer: TokenSigner, keys: Keys | undefined) {
    this.#ctx = ctx
    this.#headers = new ResponseHeaders(ctx, carrier.vary ?? '*')
    this.#carrier = carrier
    this.#signer = signer
    this.#keys = keys
  }

  get headersSent(): boolean {
    return this.#headers.sent
  }

  send(sid: string, payload: string | undefined): void {
    const token = this.#signer.sign(sid, payload, this.#keys ?? this.#ctx.app.keys)
    if (payload !== undefined) assertTokenFits('token', token)
    this.#write(token)
  }

  clear(): void {
    if (this.#hasWritten || readCarrier(this.#carrier, this.#ctx) !== undefined) this.#write(undefined)
  }

  replaces(): boolean {
    return false
  }

  clearOthers(cookies: readonly SessionCookie[]): void {
    const lines = clearingLines(cookies, this.#ctx)
    if (lines.length > 0) this.#headers.setCookies(lines)
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

  #write(token: string | undefined): void {
    this.#hasWritten = true
    this.#headers.writeWith(() => this.#carrier.write(this.#ctx, token))
  }
}
