import type { Json, SessionRecord, SessionStore } from '../../src/store/index.js'

/** Under which key a store without a scope keeps a record. */
export function keyOf({ id }: Pick<SessionRecord, 'id'>): string {
  return `session:${id}`
}

/** A recipe that sets one key of the data. */
export function withKey(key: string, value: Json): (record: SessionRecord) => SessionRecord {
  return (record) => ({ ...record, data: { ...record.data, [key]: value } })
}

/** A recipe that adds 1 to `count`. */
export function increment(record: SessionRecord): SessionRecord {
  return withKey('count', Number(record.data['count']) + 1)(record)
}

export async function list(records: AsyncIterable<SessionRecord> | undefined): Promise<SessionRecord[]> {
  const all: SessionRecord[] = []
  for await (const record of records!) all.push(record)
  return all
}

export async function count(store: SessionStore, { id }: SessionRecord): Promise<Json | undefined> {
  return (await store.read(id))?.data['count']
}
