export type Secret = string | Buffer

/** A copy of an array of secrets: an application may change its array, or the bytes of a Buffer, in place. */
export class Secrets {
  /** Newest first. */
  readonly list: readonly Secret[]

  constructor(keys: readonly Secret[]) {
    this.list = keys.map((key) => (typeof key === 'string' ? key : Buffer.from(key)))
  }

  /** Reports whether the keys are still these secrets. */
  equals(keys: unknown): boolean {
    if (!Array.isArray(keys) || keys.length !== this.list.length) return false
    for (let index = 0; index < this.list.length; index++) {
      const secret = this.list[index]!
      const key: unknown = keys[index]
      if (key !== secret && (typeof secret === 'string' || !Buffer.isBuffer(key) || !secret.equals(key))) return false
    }
    return true
  }
}
