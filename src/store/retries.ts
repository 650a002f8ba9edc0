import { setTimeout as delay } from 'node:timers/promises'
import { conflictError } from '../errors.js'

/** How long a call goes on against other writers that win each time, in milliseconds. */
const longestTry = 5_000
/** How many tries follow each other without a pause. */
const promptTries = 3
/** The longest pause between two tries, in milliseconds. */
const longestPause = 30

/** The moment at which a call that begins now gives up. */
export function retryEnd(): number {
  return performance.now() + longestTry
}

/**
 * Waits a random time before the next try, so that writers do not meet in the same rhythm again.
 *
 * @throws SessionError `ERR_SESSION_CONFLICT` when the time is over.
 */
export async function pauseAfter(tries: number, end: number): Promise<void> {
  if (performance.now() > end) throw conflictError(tries)
  if (tries >= promptTries) await delay(Math.random() * Math.min(2 ** (tries - promptTries), longestPause))
}
