import { hash } from 'node:crypto'
import { graceAfterDeadline, type Found, type SessionRecord, type Written } from '../../store/index.js'

/** What MongoDB holds for one session. */
export interface SessionDocument {
  /** The prefix and the id. */
  readonly _id: string
  /** `rev` and `write` of the record: each write names the two that it replaces. */
  readonly rev: number
  readonly write: string
  /** When the TTL index removes the document: a minute after the deadline. */
  readonly expires: Date
  /** The SHA-256 of the owner in hex. Absent: the record has no owner, or is a marker. */
  readonly owner?: string
  /** The text of the record. */
  readonly record: string
}

/** The last moment that a `Date` can hold, in milliseconds since the epoch. */
const lastTime = 8.64e15

/** A text that is read as corrupt. */
const notARecord = 'not a document of this store'

export function documentOf(key: string, { record, text }: Written): SessionDocument {
  const { rev, write, expires, owner, moved } = record
  return {
    _id: key,
    rev,
    write,
    expires: new Date(Math.min(Math.ceil(expires) + graceAfterDeadline, lastTime)),
    // No listing shows a marker.
    ...(owner !== undefined && !moved && { owner: hashOf(owner) }),
    record: text
  }
}

/** The filter that finds exactly this state of a record. `$eq`, so that nothing in a record can be an operator. */
export function filterOf(key: string, { rev, write }: SessionRecord): object {
  return { _id: key, rev: { $eq: rev }, write: { $eq: write } }
}

/**
 * The text in a document. A document whose `rev` and `write` differ from those in its text was not written by this store: no filter would
 * ever find it, so it counts as corrupt.
 */
export function foundIn(document: object): Found {
  const { rev, write, record } = document as { [Field in keyof SessionDocument]?: unknown }
  const isWhole = typeof rev === 'number' && typeof write === 'string' && typeof record === 'string' && record.startsWith(startOf(rev, write))
  return { text: isWhole ? record : notARecord }
}

/** A hash: the owner stays out of indexes and of the database's logs. */
export function hashOf(owner: string): string {
  return hash('sha256', owner)
}

/** How `writeRecord` begins the text of a record. */
function startOf(rev: number, write: string): string {
  return `{"rev":${rev},"write":${JSON.stringify(write)},`
}
