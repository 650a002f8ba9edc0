import type { Stats } from 'node:fs'

/** Which state of a record a file holds: a revision of one id is written once, so no two states have the same. */
export interface Stamp {
  readonly rev: number
  /** The deadline, in milliseconds since the epoch. */
  readonly expires: number
}

/**
 * The times, in seconds, that a file gets before it comes to its name: mtime is the deadline, so that a sweep needs no more
 * than a look at the directory, and atime lies behind it by a second for each revision, so that one `lstat` tells whether
 * the file still holds the state that is known. An atime in the future also spares the disk: Linux (relatime) does not
 * move it when the file is read.
 */
export function timesOf({ rev, expires }: Stamp): { atime: number; mtime: number } {
  // Node throws what it is not given a number for where nobody can catch it.
  if (!Number.isFinite(expires)) throw new RangeError('the deadline of a session is not a number: look at the clock that the option now gives')
  const mtime = secondsOf(expires)
  return { atime: mtime + rev, mtime }
}

/**
 * Whether a file holds that state for sure. `false` says nothing: a person edited or copied the file, its system keeps no
 * such times, or it holds another state; only its text tells.
 */
export function isStamped(stats: Stats, { rev, expires }: Stamp): boolean {
  return stats.isFile() && Math.round(stats.mtimeMs) === Math.round(expires) && Math.round(stats.atimeMs) === Math.round(expires) + rev * 1000
}

/** The farthest that a Date reaches; file systems cut it further by themselves. */
export function secondsOf(deadline: number): number {
  return Math.min(deadline, 8.64e15) / 1000
}
