import { setTimeout as delay } from 'node:timers/promises'
import { conflictError } from '../errors.js'

/** How long a call tries again while other writers win each time, in milliseconds. */
const longestTry = 5_000
/** How many tries a call makes at least: on a busy machine, a few slow tries must not be the last. */
const leastTries = 30
/** How many tries are made without a pause in between. */
const promptTries = 3
/** The longest pause before a try, in milliseconds. */
const longestPause = 30

/** The moment at which a call that begins now gives up, by `performance.now()`. */
export function retryEnd(): number {
  return performance.now() + longestTry
}

/**
 * Waits a random time before the next try, so that the same writers do not meet again.
 *
 * Every second try follows at once all the same. If each one paused, a writer of the same process that has more to write would win each time: it
 * sends its next write as soon as the last one is answered, and the event loop is too busy for a short pause to end before.
 *
 * @param tries how many tries were made.
 * @param end the moment at which the call gives up.
 * @throws SessionError `ERR_SESSION_CONFLICT` after that moment, if thirty tries were made.
 */
export async function pauseAfter(tries: number, end: number): Promise<void> {
  if (performance.now() > end && tries >= leastTries) throw conflictError(tries)
  if (tries >= promptTries && tries % 2 === 1) await delay(Math.random() * Math.min(2 ** (tries - promptTries), longestPause))
}
