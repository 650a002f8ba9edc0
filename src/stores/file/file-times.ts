import { hash } from 'node:crypto'
import type { Stats } from 'node:fs'
import type { SessionRecord } from '../../record/index.js'

/*
 * The times of a record's file encode which state of the record it holds. So one `lstat` is enough to know whether a known text is still the
 * stored one, when the session ends, and whether it has an owner. Otherwise the file would have to be opened, read and closed.
 *
 *   mtime   the deadline, in whole milliseconds
 *   atime   the mtime plus `code` units of 4 µs plus half a unit. `code` has 40 bits: 38 of a hash of `rev` and `write`, and 2 for
 *           the class of the session. So the atime is up to 51 days after the mtime.
 *
 * Node passes times as doubles, in seconds since the epoch, with a resolution of 0.24 µs. Some systems cut them to whole microseconds. The
 * half unit absorbs both errors. It also makes these times recognisable: a copy, an edit or a coarse file system leaves times that are
 * equal, in the wrong order, or cut to milliseconds or seconds. Such times never look like these, and the store then reads the text instead.
 *
 * An atime after the mtime also saves writes: Linux (relatime) does not change it when the file is read.
 */

/** A state of a record, as the times of its file encode it. No two states of a record are alike: see `write` in record/write-marks.ts. */
export interface FileTimes {
  /** The deadline, in whole milliseconds since the epoch. */
  readonly deadline: number
  /** 38 bits of a hash of `rev` and `write`, and 2 bits for the class. */
  readonly code: number
}

/** The classes of sessions, as two bits. They decide the order of eviction. */
const anonymousClass = 0
export const ownedClass = 1
export const movedClass = 2

/** How many hexadecimal digits of the hash give the code: 40 bits. */
const codeDigits = 10
const codes = 2 ** (4 * codeDigits)
const classes = 4
const microsecondsPerUnit = 4
const halfUnit = 2

/** The last moment that a `Date` can hold, in milliseconds since the epoch. */
const lastTime = 8.64e15

export function timesOfRecord({ rev, write, expires, owner, moved }: SessionRecord): FileTimes {
  // For a time that is not a number, Node throws an error that nobody can catch.
  if (!Number.isFinite(expires)) throw new RangeError('the deadline of a session is not a number: look at what the option now returns')
  const fingerprint = Number.parseInt(hash('sha256', `${rev} ${write}`).slice(0, codeDigits), 16)
  const sessionClass = moved ? movedClass : owner === undefined ? anonymousClass : ownedClass
  return { deadline: Math.min(Math.round(expires), lastTime), code: fingerprint - (fingerprint % classes) + sessionClass }
}

/** The times that a file has, or `undefined` when they were not set by this module. */
export function timesOfFile(stats: Stats): FileTimes | undefined {
  if (!stats.isFile()) return undefined
  const { mtimeMs, atimeMs } = stats
  const deadline = Math.round(mtimeMs)
  const offset = (atimeMs - deadline) * 1000
  const code = Math.floor(offset / microsecondsPerUnit)
  // The rest is half a unit, or a microsecond less on systems that cut times, with an error of 0.24 µs for each double. In times that were cut
  // to milliseconds, the rest is 0, or 3 if they were then cut to microseconds.
  const rest = offset - code * microsecondsPerUnit
  const isInTheMiddle = rest > halfUnit - 1.5 && rest < halfUnit + 0.6
  const isWhole = Math.abs(mtimeMs - deadline) < 0.002
  return isInTheMiddle && isWhole && code >= 0 && code < codes ? { deadline, code } : undefined
}

export function hasTimes(stats: Stats, { deadline, code }: FileTimes): boolean {
  const times = timesOfFile(stats)
  return times !== undefined && times.deadline === deadline && times.code === code
}

export function isSameState(one: FileTimes, other: FileTimes): boolean {
  return one.deadline === other.deadline && one.code === other.code
}

export function classOf({ code }: FileTimes): number {
  return code % classes
}

/** The arguments of `futimes`, in seconds. */
export function inSeconds({ deadline, code }: FileTimes): { atime: number; mtime: number } {
  return { atime: deadline / 1000 + (code * microsecondsPerUnit + halfUnit) / 1e6, mtime: deadline / 1000 }
}

/** A state as a part of a file name: `mb3k2x9a-7pzq01c`. */
export function stateName({ deadline, code }: FileTimes): string {
  return `${deadline.toString(36)}-${code.toString(36)}`
}

/** @param name a name that `stateName` returned. */
export function parseStateName(name: string): FileTimes {
  const [deadline, code] = name.split('-')
  return { deadline: Number.parseInt(deadline!, 36), code: Number.parseInt(code!, 36) }
}
