import { hash } from 'node:crypto'
import { graceAfterDeadline, type Found, type SessionRecord, type Written } from '../../store/index.js'

/** The document of one session. */
export interface SessionDocument {
  /** The prefix and the id. */
  readonly _id: string
  /** `rev` and `write` of the record, by which a write finds the state that it replaces. */
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

/** The text that replaces a document that is not a record. The kit reports it as corrupt. */
const notARecord = 'not a document of this store'

export function documentOf(key: string, { record, text }: Written): SessionDocument {
  const { rev, write, expires, owner, moved } = record
  return {
    _id: key,
    rev,
    write,
    expires: new Date(Math.min(Math.ceil(expires) + graceAfterDeadline, lastTime)),
    // A marker is in no list of an owner.
    ...(owner !== undefined && !moved && { owner: hashOf(owner) }),
    record: text
  }
}

/** The filter that finds exactly this state of a record. `$eq`, so that nothing in a record can be an operator. */
export function filterOf(key: string, { rev, write }: SessionRecord): object {
  return { _id: key, rev: { $eq: rev }, write: { $eq: write } }
}

/**
 * The text in a document. If the document's `rev` and `write` differ from those in its text, this store has not written it. It counts as
 * corrupt, because no filter would ever find it.
 */
export function foundIn(document: object): Found {
  const { rev, write, record } = document as { [Field in keyof SessionDocument]?: unknown }
  const isWhole = typeof rev === 'number' && typeof write === 'string' && typeof record === 'string' && record.startsWith(startOf(rev, write))
  return { text: isWhole ? record : notARecord }
}

/** Hashes an owner, so that indexes and logs of the database do not show it. */
export function hashOf(owner: string): string {
  return hash('sha256', owner)
}

/** The beginning that `writeRecord` gives to the text of a record. */
function startOf(rev: number, write: string): string {
  return `{"rev":${rev},"write":${JSON.stringify(write)},`
}
