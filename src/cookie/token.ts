import { emit } from '../events.js'
import { RecentMap } from '../recent-map.js'
import { idOf, sidLength, sidPattern } from './sid.js'
import { SigningKeys } from './signing-keys.js'

/** The content of a verified cookie. */
export interface Token {
  readonly sid: string
  readonly id: string
  /** The record's text in base64url, when the cookie carries the record. */
  readonly payload: string | undefined
  /** `true` if an older key signed it, so that the cookie should be sent again. */
  readonly stale: boolean
}

/** How many verified tokens each middleware remembers. One takes about 300 bytes. */
export const mostRemembered = 10_000

const where = 'session()'
/** The length of a MAC in characters: the 32 bytes of SHA-256 in base64url. */
const macLength = 43

/**
 * Signs and verifies tokens: `<sid>.<mac>`, `<sid>.<payload>.<mac>` when the cookie carries the record, or the bare `<sid>` unsigned.
 *
 * The MAC covers a purpose, the cookie's name, the sid and the payload. Line breaks separate the first two, so that no other signature by the
 * same keys is valid here: `ctx.cookies` signs `name=value`, where the name may contain spaces, but no control characters. Because of the
 * name, a cookie of one middleware is not valid for another with the same keys.
 */
export class TokenSigner {
  readonly #pattern: RegExp
  readonly #signed: boolean
  readonly #carriesRecord: boolean
  readonly #purpose: string
  /**
   * Verified tokens by their text. Verifying costs an HMAC: 30 to 45 µs of CPU for each request under load. The map is cleared as soon as the
   * keys change.
   */
  readonly #remembered: RecentMap<Token> | undefined
  #keys: SigningKeys | undefined

  /** @param name the name of the cookie. */
  constructor(name: string, signed: boolean, carriesRecord: boolean) {
    const payload = carriesRecord ? String.raw`\.[A-Za-z0-9_-]*` : ''
    const mac = signed ? String.raw`\.[A-Za-z0-9_-]{${macLength}}` : ''
    this.#pattern = new RegExp(`^${sidPattern}${payload}${mac}$`)
    this.#signed = signed
    this.#carriesRecord = carriesRecord
    this.#purpose = `koa-keepsake session\n${name}\n`
    // A payload is large, and changes with the session.
    this.#remembered = signed && !carriesRecord ? new RecentMap(mostRemembered) : undefined
  }

  /**
   * Uses these keys from now on. Call it for each request, because an application may change `app.keys`. Without signatures, it does nothing.
   *
   * @throws SessionError `ERR_SESSION_KEYS` or TypeError for keys that cannot sign.
   */
  use(keys: unknown): void {
    if (!this.#signed || this.#keys?.equals(keys)) return
    this.#remembered?.clear()
    this.#keys = new SigningKeys(keys, where)
  }

  sign(sid: string, payload: string | undefined, keys: unknown): string {
    this.use(keys)
    const body = payload === undefined ? sid : `${sid}.${payload}`
    return this.#signed ? `${body}.${this.#keys!.sign(this.#purpose + body)}` : body
  }

  /** The token in a cookie's value. `undefined`, and an event, if none of the keys in use signed it. */
  verify(value: string): Token | undefined {
    const remembered = this.#remembered?.get(value)
    if (remembered) return remembered
    if (!this.#pattern.test(value)) return this.#refuse('malformed')
    // In V8, a slice keeps the whole text alive from which it was cut: 10 000 remembered slices kept 160 MB of headers instead of 3 MB.
    const copy = Buffer.from(value, 'latin1').toString('latin1')
    const body = this.#signed ? copy.slice(0, -1 - macLength) : copy
    const index = this.#signed ? this.#indexOf(body, copy.slice(-macLength)) : 0
    if (index === -1) return this.#refuse('signature')
    const sid = body.slice(0, sidLength)
    const token = { sid, id: idOf(sid), payload: this.#carriesRecord ? body.slice(sidLength + 1) : undefined, stale: index > 0 }
    if (this.#keys?.mayChangeUnseen === false) this.#remembered?.set(copy, token)
    return token
  }

  /** Reports an invalid cookie. */
  #refuse(reason: 'malformed' | 'signature'): undefined {
    emit({ type: 'invalid-cookie', id: undefined, reason })
    return undefined
  }

  /** The index of the key that made the MAC; -1 if none did, or no keys are in use yet. */
  #indexOf(body: string, mac: string): number {
    return this.#keys ? this.#keys.index(this.#purpose + body, mac) : -1
  }
}
