import { randomBytes } from 'node:crypto'
import { readLive, writeRecord } from '../../record.js'
import type { SessionRecord } from '../../store.js'

// Every text carries a mark of its one write, in a member that other stores keep and this one takes out. A driver that
// lost a connection may send a command again, and the mark tells our own write from a rival's equal one.
const processMark = randomBytes(6).toString('base64url')
let writes = 0

export function writeOwn(record: SessionRecord): string {
  return `${writeRecord(record).slice(0, -1)},"write":"${processMark}${(writes++).toString(36)}"}`
}

/**
 * How the stored text must start for the record to be still the same; the whole of it, if it was put there by something
 * else and is laid out in another way.
 */
export function startOf({ rev, id }: SessionRecord, text: string | undefined): string {
  const start = `{"rev":${rev},"id":"${id}",`
  return text === undefined || text.startsWith(start) ? start : text
}

/** The record in a text, without the mark; `undefined` when it is none, not of that id, or past its deadline. */
export function liveRecord(text: string | undefined, id: string, now: number): SessionRecord | undefined {
  const record = text === undefined ? undefined : readLive(text, id, now)
  if (record) delete (record as { write?: unknown }).write
  return record
}
