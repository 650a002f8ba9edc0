import type { Data } from './json.js'
import type { SessionRecord } from './record.js'
import type { Sealer } from './sealer.js'

/*
 * Sealed records. Only the data is encrypted, so that stores can list, end and expire sessions. The facts that decide whose session it is
 * (id, creation, owner) are bound to the data: to edit one of them makes the data unreadable.
 */

/** The purpose of the sealer of records. */
export const recordPurpose = 'koa-keepsake sealed record'

export function sealRecord(sealer: Sealer, record: SessionRecord, sid: string): SessionRecord {
  return { ...record, sealed: sealer.seal(JSON.stringify(record.data), sid, factsOf(record)), data: {} }
}

/** The record with its data. `undefined`: it was edited, it is another session's, or its secret is not known. */
export function unsealRecord(sealer: Sealer, record: SessionRecord, sid: string): SessionRecord | undefined {
  const { sealed = '', ...unsealed } = record
  const text = sealer.unseal(sealed, sid, factsOf(record))
  return text === undefined ? undefined : { ...unsealed, data: JSON.parse(text) as Data }
}

/** An id has no line break, a time is a number, and an owner is never empty: no two sets of facts have the same text. */
function factsOf({ id, created, owner = '' }: SessionRecord): string {
  return `${id}\n${created}\n${owner}`
}
