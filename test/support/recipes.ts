import type { Json, SessionRecord } from '../../src/store/index.js'

/** A recipe that sets one key. */
export function setting(key: string, value: Json): (record: SessionRecord) => SessionRecord {
  return (record) => ({ ...record, data: { ...record.data, [key]: value } })
}

/** A recipe that adds 1 to `count`. */
export function counting(record: SessionRecord): SessionRecord {
  return setting('count', Number(record.data['count'] ?? 0) + 1)(record)
}
