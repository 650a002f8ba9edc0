export type Secret = string | Buffer

/** A copy of an array of secrets: an application may change its array, or the bytes of a Buffer, in place. */
export class Secrets {
  /** Newest first. */
  readonly each: readonly Secret[]

  constructor(keys: readonly Secret[]) {
    this.each = keys.map((key) => (typeof key === 'string' ? key : Buffer.from(key)))
  }

  /** Reports whether these are still the given keys. */
  isMadeOf(keys: unknown): boolean {
    if (!Array.isArray(keys) || keys.length !== this.each.length) return false
    for (let at = 0; at < this.each.length; at++) {
      const secret = this.each[at]!
      const key: unknown = keys[at]
      if (key !== secret && (typeof secret === 'string' || !Buffer.isBuffer(key) || !secret.equals(key))) return false
    }
    return true
  }
}
