import type { SessionRecord } from '../record/index.js'

/** How long a record stays after its deadline, in milliseconds, for requests that are already under way. */
export const graceAfterDeadline = 60_000

/** Whether a session can be opened. */
export function isLive(record: SessionRecord, now: number): boolean {
  return now < record.expires
}

/** Whether the deadline is so long past that the record counts as removed. A marker has no such time after its deadline. */
export function isGone({ expires, moved }: SessionRecord, now: number): boolean {
  return now >= (moved ? expires : expires + graceAfterDeadline)
}
