import { assertOptionNames, assertOption } from '../checks.js'
import { emit } from '../events.js'
import { createWriter, readRecord, Sealer, writeRecord, type SessionRecord } from '../record/index.js'
import { isGone, isLive, markChecked, type SessionStore, type StoreScope } from '../store/index.js'

/** The store of one request: its record came in the request's cookie and leaves in the cookie of the response. */
export interface CarriedStore extends SessionStore {
  /** The payload for the cookie of a record: the record's text, in base64url or encrypted. */
  payload(id: string, sid: string): string
}

/** The content of a request's verified cookie. */
export interface ReceivedCookie {
  readonly sid: string
  readonly id: string
  readonly payload: string | undefined
}

export interface CookieStoreOptions {
  /**
   * `true`: the content of the cookie is encrypted, with the secrets in the keys of `session()`, so that its user cannot read it. Cookies that
   * were sent before are read and sent again encrypted. `keys` must be an array. @default false
   */
  encrypt?: boolean | undefined
}

/** The value of `cookieStore()`, for the option `store` of `session()`. */
export interface CookieStore {
  /** `true`: what it sends is encrypted. */
  readonly encrypts: boolean
  /**
   * Makes the store of a request.
   *
   * @param received the request's verified cookies.
   * @param sealer absent: the secrets are not known, and nothing needs to be encrypted.
   */
  carry(received: readonly ReceivedCookie[], scope: Pick<StoreScope, 'now' | 'largest'>, sealer?: Sealer): CarriedStore
}

/** The purpose of the sealer of cookies. */
export const cookiePurpose = 'koa-keepsake sealed cookie'

/**
 * Keeps each session in its own cookie and nothing on the server. The cookie has at most 4096 bytes. It is signed, and with `encrypt` its user
 * cannot read it either.
 *
 * A session cannot be revoked: a copied cookie works until its deadline, even after a logout. Of two concurrent writers, the last one wins.
 */
export function cookieStore(options: CookieStoreOptions = {}): CookieStore {
  const where = 'cookieStore(options)'
  assertOptionNames(where, options, ['encrypt'])
  const { encrypt = false } = options
  assertOption(where, 'encrypt', encrypt, typeof encrypt === 'boolean', 'true or false')
  return { encrypts: encrypt, carry: (received, scope, sealer) => carry(received, scope, sealer, encrypt) }
}

export function isCookieStore(value: unknown): value is CookieStore {
  return typeof value === 'object' && value !== null && typeof (value as Partial<CookieStore>).carry === 'function'
}

const writer = createWriter()

function carry(
  received: readonly ReceivedCookie[],
  { now, largest }: Pick<StoreScope, 'now' | 'largest'>,
  sealer: Sealer | undefined,
  encrypts: boolean
): CarriedStore {
  const records = new Map<string, SessionRecord>()
  for (const { sid, id, payload } of received) {
    if (payload === undefined) continue
    const text = textOf(payload, sid, id, sealer)
    const reading = text === undefined ? { corrupt: 'it was encrypted with a secret that is not among the keys' } : readRecord(text, id, largest)
    if ('record' in reading) records.set(id, reading.record)
    else emit({ type: 'corrupt', id, reason: reading.corrupt })
  }

  /** The record, unless it is gone. */
  function find(id: string): SessionRecord | undefined {
    const record = records.get(id)
    return record && !isGone(record, now()) ? record : undefined
  }

  const store: CarriedStore = {
    read(id) {
      const record = find(id)
      if (!record || isLive(record, now())) return record
      emit({ type: 'expire', id })
      return undefined
    },
    create(id, record) {
      records.set(id, record)
      return true
    },
    update(id, recipe) {
      const current = find(id)
      if (!current) return undefined
      const replacement = recipe(current)
      if (!replacement) {
        records.delete(id)
        return null
      }
      const record = { ...replacement, rev: current.rev + 1, write: writer.next() }
      records.set(id, record)
      return record
    },
    destroy(id) {
      const last = find(id)
      records.delete(id)
      return last
    },
    payload(id, sid) {
      const record = records.get(id)
      if (!record) return ''
      const text = writeRecord(record)
      return encrypts ? sealer!.seal(text, sid, id) : Buffer.from(text).toString('base64url')
    }
  }
  markChecked(store)
  return store
}

/**
 * The text of the record in a cookie, encrypted or not, whatever the option says: the signature of the cookie protects both, and so nobody is
 * logged out when you turn encryption on or off. `undefined`: it cannot be decrypted.
 */
function textOf(payload: string, sid: string, id: string, sealer: Sealer | undefined): string | undefined {
  // The text of a record starts with `{`, which is `e` in base64.
  return Sealer.isSealed(payload) ? sealer?.unseal(payload, sid, id) : Buffer.from(payload, 'base64url').toString()
}
