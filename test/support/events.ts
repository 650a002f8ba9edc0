import { createHash } from 'node:crypto'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { channelName, type SessionEvent } from '../../src/events.js'
import type { Cleanup } from './app.js'

/** Every session event from now until the end of the test. Tests of one file run at once: look at the `id`. */
export function recordEvents(t: Cleanup): SessionEvent[] {
  const events: SessionEvent[] = []
  const listener = (message: unknown) => void events.push(message as SessionEvent)
  subscribe(channelName, listener)
  t.teardown(() => unsubscribe(channelName, listener))
  return events
}

/** The id under which the session of a cookie value (`sid.mac` or `sid`) is stored. */
export function idOf(cookieValue: string): string {
  return createHash('sha256').update(cookieValue.split('.')[0]!).digest('hex')
}
