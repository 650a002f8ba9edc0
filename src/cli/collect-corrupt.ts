import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { channelName, type SessionEvent } from '../events.js'

/** Does work and returns its result, with what was found that is not a session: the reasons by id. */
export async function collectCorrupt<T>(work: () => Promise<T>): Promise<{ readonly result: T; readonly corrupt: ReadonlyMap<string, string> }> {
  const corrupt = new Map<string, string>()
  const listen = (message: unknown): void => {
    const event = message as SessionEvent
    if (event.type === 'corrupt') corrupt.set(event.id, event.reason)
  }
  subscribe(channelName, listen)
  try {
    return { result: await work(), corrupt }
  } finally {
    unsubscribe(channelName, listen)
  }
}
