import { atRevision, readLive, writeRecord } from '../record.js'
import type { SessionRecord, SessionStore } from '../store.js'

/** The store of one request, whose record came in the request's cookie and goes out in the response's. */
export interface CarriedStore extends SessionStore {
  /** What the cookie of a record has to carry: its text in base64url. */
  payload(id: string): string
}

/** Keeps each session in its own cookie; made by `cookieStore()`, understood by `session()`. */
export interface CookieStore {
  /** The store of a request whose verified cookie carried the payload, of the record with that id. */
  carry(received: { readonly id: string; readonly payload: string | undefined } | undefined, now: () => number): CarriedStore
}

/**
 * Keeps the whole session in the cookie: no server side, up to 4096 bytes, signed but not encrypted, so the user can
 * read it. There is no revocation (a copied cookie works until its deadline, also after a logout) and the last of two
 * concurrent writers wins.
 */
export function cookieStore(): CookieStore {
  return { carry }
}

export function isCookieStore(value: unknown): value is CookieStore {
  return typeof value === 'object' && value !== null && typeof (value as Partial<CookieStore>).carry === 'function'
}

const carry: CookieStore['carry'] = (received, now) => {
  const texts = new Map<string, string>()
  if (received?.payload !== undefined) texts.set(received.id, Buffer.from(received.payload, 'base64url').toString())

  function find(id: string): SessionRecord | undefined {
    const text = texts.get(id)
    return text === undefined ? undefined : readLive(text, id, now())
  }

  return {
    async read(id) {
      return find(id)
    },
    async create(id, record) {
      texts.set(id, writeRecord(record))
      return true
    },
    async update(id, recipe) {
      const current = find(id)
      if (!current) return undefined
      const next = recipe(current)
      if (!next) {
        texts.delete(id)
        return null
      }
      const record = atRevision(current.rev + 1, next)
      texts.set(id, writeRecord(record))
      return record
    },
    async destroy(id) {
      const last = find(id)
      texts.delete(id)
      return last
    },
    payload: (id) => Buffer.from(texts.get(id) ?? '').toString('base64url')
  }
}
