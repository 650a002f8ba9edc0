import type { SessionRecord } from '../record/index.js'

/** How long a record stays after its deadline, in milliseconds, for requests that arrived before it. */
export const graceAfterDeadline = 60_000

/** Reports whether a session can be opened. */
export function isLive(record: Pick<SessionRecord, 'expires'>, now: number): boolean {
  return now < record.expires
}

/** Reports whether a record counts as removed: a minute after its deadline, and a marker at its deadline. */
export function isGone({ expires, moved }: Pick<SessionRecord, 'expires' | 'moved'>, now: number): boolean {
  return now >= (moved ? expires : expires + graceAfterDeadline)
}

/** Reports whether a listing shows the record: it is live and no marker, and if an owner is given, it belongs to that owner. */
export function isListed(record: SessionRecord, now: number, owner?: string): boolean {
  return isLive(record, now) && !record.moved && (owner === undefined || record.owner === owner)
}
