import type { SessionRecord } from '../store/index.js'

/* Recipes that several cases use. */

export function unchanged(record: SessionRecord): SessionRecord {
  return record
}

export function withKey(record: SessionRecord, key: string, value: number): SessionRecord {
  return { ...record, data: { ...record.data, [key]: value } }
}

/** Adds 1 to `count`. */
export function count(record: SessionRecord): SessionRecord {
  return withKey(record, 'count', Number(record.data['count']) + 1)
}

/** Removes the key `mine`, and the record when nothing else is left. */
export function removeMine(record: SessionRecord): SessionRecord | null {
  const { mine: _, ...rest } = record.data
  return Object.keys(rest).length === 0 ? null : { ...record, data: rest }
}

/** Makes a recipe that moves the deadline. */
export function expireLater(milliseconds: number): (record: SessionRecord) => SessionRecord {
  return (record) => ({ ...record, expires: record.expires + milliseconds })
}
