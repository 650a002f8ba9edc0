import { emit } from '../events.js'
import { RecentMap } from '../recent-map.js'
import { idOf, sidLength, sidPattern } from './sid.js'
import { SigningKeys } from './signing-keys.js'

/** What a verified cookie says. */
export interface Token {
  readonly sid: string
  readonly id: string
  /** The record's text in base64url, when the cookie carries the record. */
  readonly payload: string | undefined
  /** An older key signed it, so the cookie should be sent again. */
  readonly stale: boolean
}

/** How many verified tokens each middleware remembers, at about 300 bytes each. */
export const mostRemembered = 10_000

const where = 'session()'
const macLength = 43

/**
 * Signs and verifies tokens: `<sid>.<mac>`, `<sid>.<payload>.<mac>` when the cookie carries the record, or the bare `<sid>` unsigned.
 *
 * The MAC covers a purpose and the cookie's name besides the sid and the payload, with line breaks in between. No other signature by the
 * same keys has that form: `ctx.cookies` signs `name=value`, where the name may contain spaces, but no control characters. The name
 * makes a cookie of one middleware worthless to another with the same keys.
 */
export class TokenSigner {
  readonly #pattern: RegExp
  readonly #signed: boolean
  readonly #carriesRecord: boolean
  readonly #purpose: string
  /**
   * Tokens by the value that was verified: making two HMACs for each request costs 30 to 45 µs of CPU under load. The map is cleared as
   * soon as the keys change.
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
    // A payload is large, and none comes twice while the session changes.
    this.#remembered = signed && !carriesRecord ? new RecentMap(mostRemembered) : undefined
  }

  /**
   * Takes the keys of this moment into use. Without signatures, it does nothing.
   *
   * @throws SessionError `ERR_SESSION_KEYS` or TypeError for keys that cannot sign.
   */
  use(keys: unknown): void {
    if (!this.#signed || this.#keys?.isMadeOf(keys)) return
    this.#remembered?.clear()
    this.#keys = new SigningKeys(keys, where)
  }

  sign(sid: string, payload: string | undefined, keys: unknown): string {
    this.use(keys)
    const body = payload === undefined ? sid : `${sid}.${payload}`
    return this.#signed ? `${body}.${this.#keys!.sign(this.#purpose + body)}` : body
  }

  /** The token that a value stands for, if one of the keys in use signed it. */
  verify(value: string): Token | undefined {
    const remembered = this.#remembered?.get(value)
    if (remembered) return remembered
    if (!this.#pattern.test(value)) return emit({ type: 'invalid-cookie', id: undefined, reason: 'malformed' })
    // A slice keeps the whole text alive that it was cut from, in V8: 10 000 remembered slices kept 160 MB of headers instead of 3 MB.
    const copy = Buffer.from(value, 'latin1').toString('latin1')
    const body = this.#signed ? copy.slice(0, -1 - macLength) : copy
    const index = this.#signed ? this.#indexOf(body, copy.slice(-macLength)) : 0
    if (index === -1) return emit({ type: 'invalid-cookie', id: undefined, reason: 'signature' })
    const sid = body.slice(0, sidLength)
    const token = { sid, id: idOf(sid), payload: this.#carriesRecord ? body.slice(sidLength + 1) : undefined, stale: index > 0 }
    if (this.#keys?.mayChangeUnseen === false) this.#remembered?.set(copy, token)
    return token
  }

  /** Before any keys are in use, nothing verifies. */
  #indexOf(body: string, mac: string): number {
    return this.#keys ? this.#keys.index(this.#purpose + body, mac) : -1
  }
}
