import type { SessionRecord } from '../record/index.js'

/** How long a record stays after its deadline, in milliseconds, for requests that are already under way. */
export const graceAfterDeadline = 60_000

/** Whether a session can be opened. */
export function isLive(record: Pick<SessionRecord, 'expires'>, now: number): boolean {
  return now < record.expires
}

/** Whether the deadline is so long past that the record counts as removed. A marker has no such time after its deadline. */
export function isGone({ expires, moved }: Pick<SessionRecord, 'expires' | 'moved'>, now: number): boolean {
  return now >= (moved ? expires : expires + graceAfterDeadline)
}

/** Whether a listing shows the record: it is live and no marker, and belongs to the owner if one is given. */
export function isListed(record: SessionRecord, now: number, owner?: string): boolean {
  return isLive(record, now) && !record.moved && (owner === undefined || record.owner === owner)
}
