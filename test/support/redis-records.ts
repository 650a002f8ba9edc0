import { randomBytes } from 'node:crypto'
import { createMark, type Json, type SessionRecord, type SessionStore } from '../../src/store/index.js'

/** A record that was never stored. It has an hour to live, unless another number of milliseconds is given. */
export function newRecord(data: { [key: string]: Json } = { user: 'momo' }, fields: Partial<SessionRecord> = {}): SessionRecord {
  const now = Date.now()
  return { rev: 1, write: createMark(), id: randomBytes(32).toString('hex'), created: now, used: now, expires: now + 3_600_000, permanent: false, ...fields, data }
}

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
