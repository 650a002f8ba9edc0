import { createWriter, readRecord, writeRecord, type SessionRecord } from '../record/index.js'
import { emit } from '../events.js'
import { isGone, isLive, markChecked, type SessionStore, type StoreScope } from '../store/index.js'

/** The store of one request: its record came in the request's cookie and leaves in the response's. */
export interface CarriedStore extends SessionStore {
  /** What the cookie of a record has to carry: the record's text in base64url. */
  payload(id: string): string
}

/** Keeps each session in its own cookie. Made by `cookieStore()` and understood by `session()`. */
export interface CookieStore {
  /** The store of a request. `received` is what the request's verified cookies carried. */
  carry(received: readonly { readonly id: string; readonly payload: string | undefined }[], scope: Pick<StoreScope, 'now' | 'largest'>): CarriedStore
}

/**
 * Keeps the whole session in the cookie: no server side, at most 4096 bytes, signed but not encrypted, so the user can read it.
 *
 * There is no revocation: a copied cookie works until its deadline, also after a logout. Of two concurrent writers, the last one wins.
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
      return emit({ type: 'expire', id })
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
      const record = { ...made, rev: current.rev + 1, write: writer.next(current.write) }
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
