import type { SessionRecord } from '../record/index.js'
import { warnOnce } from '../warn-once.js'
import type { SessionRules } from './rules.js'

type Rules = Pick<SessionRules, 'lifetime' | 'absoluteLifetime' | 'touchAfter'>

/** The longest lifetime in milliseconds: a thousand years. Dates end 8.64e15 ms after the epoch. */
const longestLifetime = 1000 * 365 * 24 * 3_600_000

/** Reports whether a value can be an idle lifetime. */
export function isLifetime(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= longestLifetime
}

/** A shorter lifetime causes a warning, in milliseconds. */
const shortLifetime = 60_000

/** Warns once of a lifetime that was probably meant in seconds. @param name the option or member, for the warning. */
export function warnOfShortLifetime(name: string, lifetime: number): void {
  if (lifetime >= shortLifetime) return
  warnOnce(`${name} is under a minute, so users are logged out that soon: it counts milliseconds (Flask counts seconds); an hour is 3_600_000`)
}

/** The deadline of a session that is refreshed now. All times are in milliseconds. @param lifetime the session's own; `undefined`: the middleware's. */
export function deadlineOf(rules: Rules, created: number, lifetime: number | undefined, now: number): number {
  return Math.min(now + (lifetime ?? rules.lifetime), created + rules.absoluteLifetime)
}

/** Reports whether a record's deadline differs so much from the one that it would get now that a write is worthwhile. */
export function isDue(rules: Rules, { created, lifetime = rules.lifetime, expires }: SessionRecord, now: number): boolean {
  const difference = deadlineOf(rules, created, lifetime, now) - expires
  // A tenth of the lifetime limits touchAfter: with a lifetime near touchAfter, an active user's session would expire before its first
  // refresh. A deadline moves back only if the lifetime was lowered by much: servers whose clocks differ would move it back and forth.
  return difference > 0 ? difference >= Math.min(rules.touchAfter, lifetime / 10) : -difference >= lifetime / 10
}

/** The moment at which a session ends: its deadline, or earlier if the lifetimes in the options were lowered since it was written. */
export function endOf(rules: Pick<Rules, 'lifetime' | 'absoluteLifetime'>, { created, used, expires, lifetime = rules.lifetime }: SessionRecord): number {
  return Math.min(expires, created + rules.absoluteLifetime, used + lifetime)
}
