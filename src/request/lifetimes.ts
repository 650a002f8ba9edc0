import type { Settings } from './options.js'
import type { SessionRecord } from './store.js'

type Rules = Pick<Settings, 'lifetime' | 'absoluteLifetime' | 'touchAfter'>

/** The deadline of a session that is refreshed now. All in milliseconds; absent, the lifetime is the middleware's. */
export function deadlineOf(rules: Rules, created: number, lifetime: number | undefined, now: number): number {
  return Math.min(now + (lifetime ?? rules.lifetime), created + rules.absoluteLifetime)
}

/** Whether a record's deadline is so far from where it belongs that it is worth a write. */
export function isDue(rules: Rules, { created, lifetime = rules.lifetime, expires }: SessionRecord, now: number): boolean {
  const distance = deadlineOf(rules, created, lifetime, now) - expires
  // With a lifetime near touchAfter, a user who is active would expire before the first refresh. Back it only goes by
  // much, as when the lifetime was made shorter: servers whose clocks differ would move it to and fro.
  return distance > 0 ? distance >= Math.min(rules.touchAfter, lifetime / 10) : -distance >= lifetime / 10
}

/** When a record ends: by its deadline, or by an absolute lifetime that is shorter than when it was written. */
export function endOf(rules: Rules, { created, expires }: SessionRecord): number {
  return Math.min(expires, created + rules.absoluteLifetime)
}
