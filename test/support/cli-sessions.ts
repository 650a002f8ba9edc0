import { randomBytes } from 'node:crypto'
import { createMark, type SessionRecord, type SessionStore } from '../../src/store/index.js'

/** A record that was never stored, with an hour to live. */
export function sessionOf(fields: Partial<SessionRecord> = {}): SessionRecord {
  const now = Date.now()
  const id = randomBytes(32).toString('hex')
  return { rev: 1, write: createMark(), id, created: now, used: now, expires: now + 3_600_000, permanent: false, data: { user: 'momo' }, ...fields }
}

/** Stores sessions that were used one minute after another: the last one most recently. */
export async function seed(store: SessionStore, fields: readonly Partial<SessionRecord>[]): Promise<SessionRecord[]> {
  const now = Date.now()
  const records = fields.map((each, at) => sessionOf({ used: now - (fields.length - at) * 60_000, ...each }))
  for (const record of records) if (!(await store.create(record.id, record))) throw new Error('the id is taken')
  return records
}

/** The record that is stored, without the fields that differ between stores. */
export function contentOf(record: SessionRecord | undefined): object | undefined {
  if (!record) return undefined
  const { rev, write, copied, ...content } = record as SessionRecord & { copied?: unknown }
  void [rev, write, copied]
  return content
}

/** All sessions of a store by id, without the fields that differ between stores. */
export async function contentsOf(store: SessionStore): Promise<Map<string, object>> {
  const all = new Map<string, object>()
  for await (const record of store.records!()) all.set(record.id, contentOf(record)!)
  return all
}
