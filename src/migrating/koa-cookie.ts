import Keygrip from 'keygrip'
import type { Context } from 'koa'
import type { OldCookie } from '../request/index.js'

/** The keys that signed the old cookie: the secrets or the Keygrip of the old application's `app.keys`, newest first. */
export type OldKeys = readonly (string | Buffer)[] | { index(data: string, digest: string): number }

/** A cookie that an old library set with `ctx.cookies`. A signed one consists of two cookies, `name` and `name.sig`. */
export class KoaCookie {
  readonly #where: string
  readonly #name: string
  readonly #signed: boolean
  readonly #keys: OldKeys | undefined

  /** @param keys absent: `app.keys`. */
  constructor(where: string, name: string, signed: boolean, keys: OldKeys | undefined) {
    this.#where = where
    this.#name = name
    this.#signed = signed
    this.#keys = keys
    if (signed && keys !== undefined) assertKeys(where, keys)
  }

  /** Reads the value. If it is signed, verifies it like `ctx.cookies`: with Keygrip over `name=value`, by default HMAC-SHA-1. */
  read(ctx: Context): string | undefined {
    const value = ctx.cookies.get(this.#name, { signed: false })
    if (!value || !this.#signed) return value || undefined
    const signature = ctx.cookies.get(`${this.#name}.sig`, { signed: false })
    if (!signature) return undefined
    const index: unknown = this.#keygrip(ctx).index(`${this.#name}=${value}`, signature)
    return typeof index === 'number' && index >= 0 ? value : undefined
  }

  /** The cookies that a browser has, with the attributes with which they were set. */
  with(attributes: Omit<OldCookie, 'name'> | undefined): readonly OldCookie[] {
    const cookie = { ...attributes, name: this.#name }
    return this.#signed ? [cookie, { ...cookie, name: `${this.#name}.sig` }] : [cookie]
  }

  #keygrip(ctx: Context): Exclude<OldKeys, readonly unknown[]> {
    const keys = this.#keys ?? ctx.app.keys
    assertKeys(this.#where, keys)
    // Keygrip's types know only strings, but it passes the key to createHmac, which takes Buffers too.
    return 'index' in keys ? keys : new Keygrip([...keys] as string[])
  }
}

/** Refuses keys that cannot sign. With an empty key, everybody could sign. */
function assertKeys(where: string, keys: unknown): asserts keys is OldKeys {
  const isKeygrip = typeof keys === 'object' && keys !== null && typeof (keys as { index?: unknown }).index === 'function'
  const areSecrets = Array.isArray(keys) && keys.length > 0 && keys.every((key) => (typeof key === 'string' || Buffer.isBuffer(key)) && key.length > 0)
  if (!isKeygrip && !areSecrets) throw new TypeError(`${where}: keys must be the secrets or the Keygrip that app.keys was in the old application`)
}
