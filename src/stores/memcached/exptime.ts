import type { SessionRecord } from '../../record/index.js'
import { graceAfterDeadline } from '../../store/index.js'

/** memcached removes a value with a negative exptime at once. */
export const atOnce = -1

/** Never: memcached keeps the value until it needs the room. */
const never = 0

/** memcached reads exptimes as 32-bit numbers: a later one has already passed for it. In seconds since the epoch, in January 2038. */
const lastExptime = 2 ** 31 - 1

/**
 * When memcached may remove a record, in seconds since the epoch: a minute after its deadline at the earliest.
 *
 * It is always such an absolute time, because memcached reads a relative one only up to 30 days, and the default lifetime is 31.
 */
export function exptimeOf({ expires }: SessionRecord): number {
  const exptime = Math.ceil((expires + graceAfterDeadline) / 1000)
  // The deadline in the record counts anyway.
  return exptime > lastExptime ? never : exptime
}
