import { randomBytes } from 'node:crypto'
import { createMark, type SessionRecord } from '../../src/store/index.js'

/** A record that was never stored, with an hour to live. */
export function newRecord(fields: Partial<SessionRecord> = {}): SessionRecord {
  const now = Date.now()
  const id = randomBytes(32).toString('hex')
  return { rev: 1, write: createMark(), id, created: now, used: now, expires: now + 3_600_000, permanent: false, data: {}, ...fields }
}

export function withKey(key: string, value: number): (record: SessionRecord) => SessionRecord {
  return (record) => ({ ...record, data: { ...record.data, [key]: value } })
}

/** Adds 1 to `count`. */
export function count(record: SessionRecord): SessionRecord {
  return withKey('count', Number(record.data['count'] ?? 0) + 1)(record)
}
