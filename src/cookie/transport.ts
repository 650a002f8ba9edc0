import type { Context } from 'koa'
import { readCarrier, type Carrier, type CarrierRequest } from './carrier.js'
import { ResponseCarrier } from './response-carrier.js'
import { ResponseCookie } from './response-cookie.js'
import type { ResponseToken } from './response-token.js'
import { SessionCookie, type CookieRules } from './session-cookie.js'
import type { Keys } from './signing-keys.js'
import { TokenSigner, type Token } from './token.js'

/** How the token of a session travels between server and client: in the cookie, or with the option `carrier`. */
export interface Transport {
  /** The name of the cookie. `undefined`: the token is in no cookie. */
  readonly cookieName: string | undefined
  /**
   * Returns every distinct valid token of a request, usually none or one.
   *
   * @throws SessionError `ERR_SESSION_KEYS` or TypeError for keys that cannot sign, also without a token.
   */
  read(request: CarrierRequest, keys: unknown): readonly Token[]
  /**
   * Makes the object that sends and clears the token in one response.
   *
   * @param keys the option `keys`. Absent: `app.keys` at the moment when a token is sent.
   */
  createResponseToken(ctx: Context, keys: Keys | undefined): ResponseToken
}

export function createTransport(rules: CookieRules, carrier: Carrier | undefined): Transport {
  return carrier ? new CarrierTransport(rules, carrier) : new CookieTransport(rules)
}

class CookieTransport implements Transport {
  readonly cookieName: string
  readonly #cookie: SessionCookie
  readonly #hasPrevious: boolean

  constructor(rules: CookieRules) {
    this.cookieName = rules.name
    this.#cookie = new SessionCookie(rules)
    this.#hasPrevious = rules.cookie.previous.length > 0
  }

  read({ req }: CarrierRequest, keys: unknown): readonly Token[] {
    return this.#cookie.read(req.headers.cookie, keys)
  }

  createResponseToken(ctx: Context, keys: Keys | undefined): ResponseToken {
    const response = new ResponseCookie(ctx, this.#cookie, keys)
    if (this.#hasPrevious && this.#cookie.isTwiceIn(ctx.req.headers.cookie)) response.clearPrevious()
    return response
  }
}

class CarrierTransport implements Transport {
  readonly cookieName = undefined
  readonly #carrier: Carrier
  readonly #signer: TokenSigner

  constructor({ name, signed, carriesRecord }: CookieRules, carrier: Carrier) {
    this.#carrier = carrier
    this.#signer = new TokenSigner(name, signed, carriesRecord)
  }

  read(request: CarrierRequest, keys: unknown): readonly Token[] {
    this.#signer.use(keys)
    const value = readCarrier(this.#carrier, request)
    const token = value === undefined ? undefined : this.#signer.verify(value)
    return token ? [token] : []
  }

  createResponseToken(ctx: Context, keys: Keys | undefined): ResponseToken {
    return new ResponseCarrier(ctx, this.#carrier, this.#signer, keys)
  }
}
