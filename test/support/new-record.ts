import { randomBytes } from 'node:crypto'
import { createMark, type Json, type SessionRecord } from '../../src/store/index.js'

/** A record that was never stored. It has an hour to live, unless `fields` give another deadline. */
export function newRecord(data: { [key: string]: Json } = { user: 'momo' }, fields: Partial<SessionRecord> = {}, now = Date.now()): SessionRecord {
  const id = randomBytes(32).toString('hex')
  return { rev: 1, write: createMark(), id, created: now, used: now, expires: now + 3_600_000, permanent: false, ...fields, data }
}
