import type { SessionRecord } from '../record/index.js'
import type { SessionRules } from './rules.js'

type Rules = Pick<SessionRules, 'lifetime' | 'absoluteLifetime' | 'touchAfter'>

/** The longest lifetime in milliseconds: a thousand years. Dates end 8.64e15 ms after the epoch. */
const longestLifetime = 1000 * 365 * 24 * 3_600_000

/** Reports whether a value can be an idle lifetime. */
export function isLifetime(value: unknown): value is number {
  return typeof value === 'number' && value > 0 && value <= longestLifetime
}

/** The deadline of a session that is refreshed now. All in milliseconds. `lifetime` absent: the middleware's. */
export function deadlineOf(rules: Rules, created: number, lifetime: number | undefined, now: number): number {
  return Math.min(now + (lifetime ?? rules.lifetime), created + rules.absoluteLifetime)
}

/** Whether a record's deadline is so far from where it belongs that it is worth a write. */
export function isDue(rules: Rules, { created, lifetime = rules.lifetime, expires }: SessionRecord, now: number): boolean {
  const distance = deadlineOf(rules, created, lifetime, now) - expires
  // With a lifetime near touchAfter, an active user's session would expire before its first refresh. A deadline moves back only by much,
  // as when the lifetime was made shorter: servers whose clocks differ would move it to and fro.
  return distance > 0 ? distance >= Math.min(rules.touchAfter, lifetime / 10) : -distance >= lifetime / 10
}

/** When a record ends: at its deadline, or earlier if the lifetimes in the options were made shorter since it was written. */
export function endOf(rules: Pick<Rules, 'lifetime' | 'absoluteLifetime'>, { created, used, expires, lifetime = rules.lifetime }: SessionRecord): number {
  return Math.min(expires, created + rules.absoluteLifetime, used + lifetime)
}
