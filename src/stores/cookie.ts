import { createWriter, readRecord, writeRecord, type SessionRecord } from '../record/index.js'
import { emit } from '../events.js'
import { isGone, isLive, markChecked, type SessionStore, type StoreScope } from '../store/index.js'

/** The store of one request: its record came in the request's cookie and leaves in the cookie of the response. */
export interface CarriedStore extends SessionStore {
  /** The payload for the cookie of a record: the record's text in base64url. */
  payload(id: string): string
}

/** The value of `cookieStore()`, for the option `store` of `session()`. */
export interface CookieStore {
  /** Makes the store of a request. @param received the ids and payloads of the request's verified cookies. */
  carry(received: readonly { readonly id: string; readonly payload: string | undefined }[], scope: Pick<StoreScope, 'now' | 'largest'>): CarriedStore
}

/**
 * Keeps each session in its own cookie and nothing on the server. The cookie has at most 4096 bytes. It is signed but not encrypted, so the
 * user can read it.
 *
 * A session cannot be revoked: a copied cookie works until its deadline, even after a logout. Of two concurrent writers, the last one wins.
 */
export function cookieStore(): CookieStore {
  return { carry }
}

export function isCookieStore(value: unknown): value is CookieStore {
  return typeof value === 'object' && value !== null && typeof (value as Partial<CookieStore>).carry === 'function'
}

const writer = createWriter()

const carry: CookieStore['carry'] = (received, { now, largest }) => {
  const records = new Map<string, SessionRecord>()
  for (const { id, payload } of received) {
    if (payload === undefined) continue
    const reading = readRecord(Buffer.from(payload, 'base64url').toString(), id, largest)
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
      const made = recipe(current)
      if (!made) {
        records.delete(id)
        return null
      }
      const record = { ...made, rev: current.rev + 1, write: writer.next() }
      records.set(id, record)
      return record
    },
    destroy(id) {
      const last = find(id)
      records.delete(id)
      return last
    },
    payload(id) {
      const record = records.get(id)
      return Buffer.from(record ? writeRecord(record) : '').toString('base64url')
    }
  }
  markChecked(store)
  return store
}
