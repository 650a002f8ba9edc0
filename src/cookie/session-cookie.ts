import { emit } from '../events.js'
import { cookieValues } from './cookie-header.js'
import { isSameScope, type CookieScope, type CookieSettings } from './cookie-options.js'
import { TokenSigner, type Token } from './token.js'

export interface CookieRules {
  readonly name: string
  readonly signed: boolean
  readonly cookie: CookieSettings
  /** The cookie carries the whole record (`cookieStore()`). */
  readonly carriesRecord: boolean
}

/** How many cookies of one name a request may send. A request with more is likely an attempt to hide the real one among others. */
const mostCookies = 8
const none: readonly Token[] = Object.freeze([])
/** The attribute with which a browser removes a cookie. */
const expired = '; Expires=Thu, 01 Jan 1970 00:00:00 GMT'

/**
 * The session cookie: reads it from a `Cookie` header and writes `Set-Cookie` lines.
 *
 * It is one cookie, unlike the pair `name` and `name.sig` of Koa's own signed cookies: on key rotation, value and signature are sent
 * again together and with all attributes.
 */
export class SessionCookie {
  readonly name: string
  /** `'auto'`: the cookie is `Secure` if the request came over TLS. */
  readonly secure: boolean | 'auto'
  readonly #nameAndEquals: string
  readonly #cookie: CookieSettings
  readonly #tokens: TokenSigner
  readonly #attributes: string
  readonly #secureAttributes: string

  constructor({ name, signed, cookie, carriesRecord }: CookieRules) {
    this.name = name
    this.secure = cookie.secure
    this.#nameAndEquals = `${name}=`
    this.#cookie = cookie
    this.#tokens = new TokenSigner(name, signed, carriesRecord)
    this.#attributes = writeAttributes(cookie, cookie, false)
    this.#secureAttributes = writeAttributes(cookie, cookie, true)
  }

  /** Reports whether the header has a cookie of this name, valid or not. */
  isIn(header: string | undefined): boolean {
    return header !== undefined && cookieValues(this.#nameAndEquals, header, 1).length > 0
  }

  /** Reports whether this cookie replaces the other one in a browser: both have the same name and scope. */
  replaces(other: SessionCookie): boolean {
    return this.name === other.name && isSameScope(this.#cookie, other.#cookie)
  }

  /** Reports whether the header has several cookies of this name, because the cookie has had different domains or paths. */
  isTwiceIn(header: string | undefined): boolean {
    return header !== undefined && cookieValues(this.#nameAndEquals, header, 2).length > 1
  }

  /**
   * Returns every distinct valid token of the header, usually none or one. If there are more than eight cookies of the name, it returns none.
   *
   * @param keys the keys of this moment.
   * @throws SessionError `ERR_SESSION_KEYS` or TypeError for keys that cannot sign, also without a cookie.
   */
  read(header: string | undefined, keys: unknown): readonly Token[] {
    this.#tokens.use(keys)
    if (header === undefined) return none
    const values = cookieValues(this.#nameAndEquals, header, mostCookies + 1)
    if (values.length > mostCookies) {
      emit({ type: 'invalid-cookie', id: undefined, reason: 'too-many' })
      return none
    }
    if (values.length > 1) return this.#readSeveral(values)
    const token = values.length === 1 ? this.#tokens.verify(values[0]!) : undefined
    return token ? [token] : none
  }

  /** If an older and the newest key signed two cookies of one session, they are one token. */
  #readSeveral(values: readonly string[]): readonly Token[] {
    const tokens: Token[] = []
    for (const value of new Set(values)) {
      const token = this.#tokens.verify(value)
      if (!token) continue
      const same = tokens.findIndex(({ sid, payload }) => sid === token.sid && payload === token.payload)
      if (same === -1) tokens.push(token)
      else if (!token.stale) tokens[same] = token
    }
    return tokens
  }

  /**
   * The `Set-Cookie` line that gives the client a session.
   *
   * @param payload the record's text in base64url, if the cookie carries the record.
   * @param secure whether the request came over TLS.
   * @param expires milliseconds since the epoch. Absent: the cookie ends with the browser.
   */
  write(sid: string, payload: string | undefined, keys: unknown, secure: boolean, expires: number | undefined): string {
    const until = expires === undefined ? '' : `; Expires=${new Date(expires).toUTCString()}`
    return this.#nameAndEquals + this.#tokens.sign(sid, payload, keys) + this.#attributesOver(secure) + until
  }

  /** The `Set-Cookie` line that removes the cookie. A browser removes it only if the line has the scope with which it was set. */
  clearingLine(secure: boolean): string {
    return this.#nameAndEquals + this.#attributesOver(secure) + expired
  }

  /** The `Set-Cookie` lines that remove the cookie in the scopes of `cookie.previous`. */
  previousClearingLines(secure: boolean): readonly string[] {
    const lines = this.#cookie.previous.map((scope) => this.#nameAndEquals + writeAttributes(this.#cookie, scope, secure) + expired)
    return [...new Set(lines)]
  }

  #attributesOver(secure: boolean): string {
    return secure ? this.#secureAttributes : this.#attributes
  }
}

/**
 * Browsers drop a cookie with `SameSite=None` or `Partitioned` and without `Secure`. So with `secure: 'auto'`, it has neither over plain
 * HTTP, where a developer works with the same options.
 */
function writeAttributes(cookie: CookieSettings, { path, domain, partitioned }: CookieScope, isTls: boolean): string {
  const { httpOnly, sameSite, priority } = cookie
  const secure = cookie.secure === true || (cookie.secure === 'auto' && isTls)
  let text = `; Path=${path}`
  if (domain !== undefined) text += `; Domain=${domain}`
  if (httpOnly) text += '; HttpOnly'
  if (secure) text += '; Secure'
  if (sameSite !== false && (secure || sameSite !== 'none')) text += `; SameSite=${capitalized(sameSite)}`
  if (partitioned && secure) text += '; Partitioned'
  if (priority !== undefined) text += `; Priority=${capitalized(priority)}`
  return text
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
