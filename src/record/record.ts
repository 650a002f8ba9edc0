import { SessionError } from '../errors.js'
import { flawInData } from './data-flaws.js'
import { isId } from './id.js'
import type { Data } from './json.js'

/** The state of one session, as a store keeps it. Records are immutable: to change one, make another. */
export interface SessionRecord {
  /** The revision: 1 when created, and 1 more after each write. */
  readonly rev: number
  /** The mark of the latest write, which no other write has (see write-marks.ts). */
  readonly write: string
  /** The SHA-256 of the sid in lower-case hex. */
  readonly id: string
  /** When the session was created, in milliseconds since the epoch. */
  readonly created: number
  /** When the session was last used, in milliseconds since the epoch. It is written only when the deadline moves, so it may lag behind. */
  readonly used: number
  /** The deadline, in milliseconds since the epoch: from then on the session cannot be opened. */
  readonly expires: number
  /** Whether the cookie outlives the browser. */
  readonly permanent: boolean
  /** The session's own idle lifetime in milliseconds. Absent: the middleware's `lifetime` applies. */
  readonly lifetime?: number
  /** The application's id of the user to whom the session belongs. Absent before a login. */
  readonly owner?: string
  /** `true` for the marker that `regenerate()` leaves under the old id for a minute. It has no data and is never listed. */
  readonly moved?: true
  /** In a marker: the id of the record under the new sid. */
  readonly movedTo?: string
  /** The version of the format. Absent: the first. */
  readonly version?: number
  /** The encrypted data of a sealed record, in base64url (see record-sealer.ts). `data` is empty then. */
  readonly sealed?: string | undefined
  readonly data: Data
}

/** The newest format that this version reads; a record without `version` has the first one. */
const formatVersion = 1

/** The last moment that a `Date` can hold, in milliseconds since the epoch. */
const lastTime = 8.64e15

/** The longest owner, in characters (DESIGN section 11). */
const longestOwner = 256

/** The result of reading a text strictly: the record, or the reason why the text is not one. */
export type Reading = { readonly record: SessionRecord } | { readonly corrupt: string }

/**
 * Writes the text of a record: JSON that starts with `rev` and `write`, so that a store can compare the two without parsing the rest.
 */
export function writeRecord(record: SessionRecord): string {
  if (startsWithRevAndWrite(record)) return JSON.stringify(record)
  const { rev, write, ...rest } = record
  return JSON.stringify({ rev, write, ...rest })
}

/**
 * Reads the text of a record strictly.
 *
 * @param largest the size in bytes over which a text is corrupt and is not parsed.
 * @throws SessionError `ERR_SESSION_STORE` when a newer version wrote the record.
 */
export function readRecord(text: string, id: string, largest = Infinity): Reading {
  // A character has at most three bytes of UTF-8 (a surrogate pair has four for its two).
  if (text.length > largest || (text.length * 3 > largest && Buffer.byteLength(text) > largest)) {
    return { corrupt: `it is larger than ${largest} bytes` }
  }
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { corrupt: text === '' ? 'it is empty' : 'it is not JSON' }
  }
  const corrupt = flawOf(value, id) ?? flawInData((value as SessionRecord).data)
  return corrupt === undefined ? { record: value as SessionRecord } : { corrupt }
}

/**
 * Returns why a value is not a record of that id, or `undefined` if it is one.
 *
 * @throws SessionError `ERR_SESSION_STORE` when a newer version wrote it. To treat it as no session would log people out while servers are
 * upgraded one by one.
 */
export function flawOf(value: unknown, id: string): string | undefined {
  if (!isObject(value)) return 'it is not an object'
  const { rev, write, created, used, expires, permanent, lifetime, owner, moved, movedTo, sealed, data, version = formatVersion } = value
  if (typeof version === 'number' && version > formatVersion) {
    throw new SessionError(
      'ERR_SESSION_STORE',
      `a stored session has format ${version}, but this version of koa-keepsake reads only format ${formatVersion}: upgrade koa-keepsake on this server`
    )
  }
  if (value['id'] !== id) return 'it names another id'
  if (!Number.isSafeInteger(rev) || (rev as number) < 1) return 'rev is not a positive integer'
  if (typeof write !== 'string' || write === '') return 'write is not the mark of a write'
  if (!isTime(created)) return 'created is not a time'
  if (!isTime(used)) return 'used is not a time'
  if (!isTime(expires)) return 'expires is not a time'
  if (typeof permanent !== 'boolean') return 'permanent is not a boolean'
  if (lifetime !== undefined && !(isTime(lifetime) && lifetime > 0)) return 'lifetime is not a duration'
  if (owner !== undefined && !isOwner(owner)) return `owner is not a string of 1 to ${longestOwner} characters`
  if (moved !== undefined && moved !== true) return 'moved is not true'
  if (movedTo !== undefined && !isId(movedTo)) return 'movedTo is not an id'
  if (!isObject(data)) return 'data is not an object'
  if (sealed !== undefined) {
    if (typeof sealed !== 'string') return 'sealed is not a text'
    // A version of this library without sealing would write such a record. To prefer one of the two would lose the other.
    for (const _ in data) return 'it is sealed, but has data that is not'
  }
  return undefined
}

/** Reports whether the data of a record is encrypted, so that only a request with its sid can read it. */
export function isSealed(record: Pick<SessionRecord, 'sealed'>): boolean {
  return record.sealed !== undefined
}

/** Reports whether a value can be the owner of a session. */
export function isOwner(value: unknown): value is string {
  return typeof value === 'string' && value.length > 0 && value.length <= longestOwner
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= lastTime
}

function startsWithRevAndWrite(record: SessionRecord): boolean {
  let expected = 'rev'
  for (const name in record) {
    if (name !== expected) return false
    if (name === 'write') return true
    expected = 'write'
  }
  return false
}
