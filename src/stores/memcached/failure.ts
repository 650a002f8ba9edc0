import { reasonOf, SessionError } from '../../errors.js'

/** Advice about failures, by a part of their message. */
const advices: readonly [pattern: RegExp, advice: string][] = [
  [/out of memory/, 'memcached is full and must not evict: start it without -M, or with more memory (-m)'],
  [/Too many open connections/, "raise memcached's limit of connections (-c)"],
  [/ECONNREFUSED|connect timeout|ENOTFOUND|EAI_AGAIN/, 'start memcached, or correct its address'],
  [/Command timeout/, 'memcached did not answer in time; a save may have been carried out all the same']
]

/** Advice for an operator about an error, if there is some. */
export function adviceOf(error: unknown): string | undefined {
  const reason = reasonOf(error)
  return advices.find(([pattern]) => pattern.test(reason))?.[1]
}

/** Waits for a call that stores a text, and turns the error about its size into one that says what to do. */
export async function asStored<T>(text: string, call: Promise<T>): Promise<T> {
  try {
    return await call
  } catch (cause) {
    if (!reasonOf(cause).includes('object too large')) throw cause
    throw new SessionError(
      'ERR_SESSION_TOO_LARGE',
      `memcached refuses a session of ${Buffer.byteLength(text)} bytes: keep less in it, or raise memcached's item size (-I, by default 1 MB)`,
      { cause }
    )
  }
}
