import type { SessionRecord } from '../../record/index.js'
import { graceAfterDeadline } from '../../store/index.js'

/** The expiration time (exptime) of a value that memcached removes at once. */
export const atOnce = -1

/** The expiration time of a value that memcached keeps until it needs the memory. */
const never = 0

/** The last expiration time, in seconds since the epoch (January 2038). memcached reads it as a 32-bit number, so a later one would be in the past. */
const lastExptime = 2 ** 31 - 1

/**
 * When memcached may remove a record, in seconds since the epoch: a minute after its deadline at the earliest.
 *
 * It is an absolute time, because memcached accepts relative ones only up to 30 days, and the default lifetime is 31 days.
 */
export function exptimeOf({ expires }: SessionRecord): number {
  const exptime = Math.ceil((expires + graceAfterDeadline) / 1000)
  // The kit checks the deadline in the record in any case.
  return exptime > lastExptime ? never : exptime
}
