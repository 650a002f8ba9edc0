import { readLive, writeRecord } from '../record.js'
import type { SessionRecord, SessionStore } from '../store.js'

/** The store of one request, whose record came in the request's cookie and goes out in the response's. */
export interface CarriedStore extends SessionStore {
  /** What the cookie of a record has to carry: its text in base64url. */
  payload(id: string): string
}

/** Keeps each session in its own cookie; made by `cookieStore()`, understood by `session()`. */
export interface CookieStore {
  carry(payload: string | undefined, now: () => number): CarriedStore
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

function carry(payload: string | undefined, now: () => number): CarriedStore {
  // Until somebody asks for it, nobody knows which id it is of; afterwards what this request wrote is kept by id.
  let received = payload === undefined ? undefined : Buffer.from(payload, 'base64url').toString()
  const written = new Map<string, string>()

  function find(id: string): SessionRecord | undefined {
    const text = written.get(id) ?? received
    return text === undefined ? undefined : readLive(text, id, now())
  }

  function remove(id: string): void {
    if (!written.delete(id)) received = undefined
  }

  return {
    async read(id) {
      return find(id)
    },
    async create(id, record) {
      written.set(id, writeRecord(record))
      return true
    },
    async update(id, recipe) {
      const current = find(id)
      if (!current) return undefined
      const next = recipe(current)
      if (!next) {
        remove(id)
        return null
      }
      const record = { ...next, rev: current.rev + 1 }
      written.set(id, writeRecord(record))
      return record
    },
    async destroy(id) {
      const last = find(id)
      remove(id)
      return last
    },
    payload: (id) => Buffer.from(written.get(id) ?? '').toString('base64url')
  }
}
