import { SessionError } from './errors.js'
import { emit } from './events.js'
import type { SessionRecord } from './store.js'

/** The newest format that this version reads; a record without `version` is of the first. */
const formatVersion = 1

/** Where the calendar of `Date` ends, in milliseconds since the epoch. */
const lastTime = 8.64e15

/** The text of a record: JSON whose first members are `rev` and `id`, so that a store may compare it without parsing the rest. */
export function writeRecord(record: SessionRecord): string {
  if (measured?.record === record) {
    const { text, fields, data } = measured
    measured = undefined
    if (hasSame(record, fields) && hasSame(record.data, data)) return text
  }
  if (startsWithRevAndId(record)) return JSON.stringify(record)
  const { rev, id, ...rest } = record
  return JSON.stringify({ rev, id, ...rest })
}

// Writing is what a save costs most in memory, and whoever measures a record hands it to a store next, which writes it. One
// is enough to remember; a WeakMap of them was measured to cost more in garbage collection than it spared. With what was in
// the record: a store that wraps another may change it in between (encrypt the data, say).
let measured: { readonly record: SessionRecord; readonly text: string; readonly fields: object; readonly data: object } | undefined

/** The size of a record's text in bytes. */
export function measureRecord(record: SessionRecord): number {
  const text = writeRecord(record)
  measured = { record, text, fields: { ...record }, data: { ...record.data } }
  return Buffer.byteLength(text)
}

/** The record at a revision: itself, if it is. */
export function atRevision(rev: number, record: SessionRecord): SessionRecord {
  return record.rev === rev ? record : { ...record, rev }
}

/** Reads a record's text strictly. Answers the reason when it is not a record of that id. @throws as `flawOf` */
export function readRecord(text: string, id: string): { record: SessionRecord } | { corrupt: string } {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    return { corrupt: text === '' ? 'it is empty' : 'it is not JSON' }
  }
  const corrupt = flawOf(value, id)
  return corrupt === undefined ? { record: value as SessionRecord } : { corrupt }
}

/**
 * Why a value is not a record of that id; `undefined` when it is one.
 *
 * @throws SessionError `ERR_SESSION_STORE` when a newer version wrote it: refused, because taking it for "no session"
 * would log people out while servers are being upgraded one by one.
 */
export function flawOf(value: unknown, id: string): string | undefined {
  if (!isObject(value)) return 'it is not an object'
  const { rev, created, expires, permanent, lifetime, data, version = formatVersion } = value
  if (typeof version === 'number' && version > formatVersion) {
    throw new SessionError(
      'ERR_SESSION_STORE',
      `a stored session has format ${version}, this version reads ${formatVersion}: upgrade koa-keepsake on this server`
    )
  }
  if (value['id'] !== id) return 'it names another id'
  if (!Number.isSafeInteger(rev) || (rev as number) < 1) return 'rev is not a positive integer'
  if (!isTime(created)) return 'created is not a time'
  if (!isTime(expires)) return 'expires is not a time'
  if (typeof permanent !== 'boolean') return 'permanent is not a boolean'
  if (lifetime !== undefined && !(isTime(lifetime) && lifetime > 0)) return 'lifetime is not a duration'
  if (!isObject(data)) return 'data is not an object'
  return undefined
}

/**
 * What a store's `read` answers for a text that it found: the record, or `undefined` when it is corrupt or past its
 * deadline, either of which is told as an event.
 */
export function readLive(text: string, id: string, now: number): SessionRecord | undefined {
  const reading = readRecord(text, id)
  if ('corrupt' in reading) {
    emit({ type: 'corrupt', id, reason: reading.corrupt })
    return undefined
  }
  const { record } = reading
  if (record.expires > now) return record
  emit({ type: 'expire', id })
  return undefined
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= lastTime
}

function startsWithRevAndId(record: SessionRecord): boolean {
  let expected = 'rev'
  for (const name in record) {
    if (name !== expected) return false
    if (name === 'id') return true
    expected = 'id'
  }
  return false
}

/** Whether two objects have the same values under the same keys. */
function hasSame(one: object, other: object): boolean {
  const keys = Object.keys(one) as (keyof object)[]
  return keys.length === Object.keys(other).length && keys.every((key) => one[key] === other[key])
}
