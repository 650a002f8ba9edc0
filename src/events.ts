import { channel as channelOf, type Channel, type ChannelListener } from 'node:diagnostics_channel'
import { reasonOf } from './errors.js'

/** What happened to a session. `id` is the SHA-256 of the sid, never the sid. */
export type SessionEvent =
  | { type: 'create' | 'load' | 'save' | 'refresh' | 'destroy' | 'conflict' | 'expire'; id: string }
  /** The sid was replaced: `id` is the new one's, `from` the old one's. */
  | { type: 'regenerate'; id: string; from: string }
  /** Changes were dropped: the record was gone when they were saved, or the client could no longer be sent a cookie. */
  | { type: 'dropped'; id: string | undefined; reason: 'gone' | 'headers-sent' }
  /** A live session was removed because the store holds more than its threshold. */
  | { type: 'evict'; id: string }
  /** What is stored under the id is not a record. */
  | { type: 'corrupt'; id: string; reason: string }
  /** A cookie of the session's name did not verify. */
  | { type: 'invalid-cookie'; id: undefined; reason: 'malformed' | 'signature' | 'ambiguous' }
  /** The store failed or took too long. */
  | { type: 'store-error'; id: string | undefined; error: unknown }

/** The `node:diagnostics_channel` on which every `SessionEvent` is published. */
export const channelName = 'koa-keepsake:session'

const channel = channelOf(channelName)

// Node rethrows a subscriber's error from a tick of its own, where nothing can catch it and the process dies. A broken
// logger must not take the application down, so each subscriber of this one channel is wrapped as it subscribes. The
// method is looked up in the prototype each time: Node changes that when the first subscriber comes and calls again.
const guards = new WeakMap<ChannelListener, ChannelListener>()
channel.subscribe = (listener) => prototypeOf(channel).subscribe.call(channel, guardOf(listener))
channel.unsubscribe = (listener) => prototypeOf(channel).unsubscribe.call(channel, guards.get(listener) ?? listener)
// Those who came before this module, as tracing tools do, stand in a list that has no public name.
const early = (channel as { _subscribers?: ChannelListener[] })._subscribers
early?.forEach((listener, at) => (early[at] = guardOf(listener)))

/** Publishes an event; costs next to nothing while nobody listens. */
export function emit(event: SessionEvent): undefined {
  if (channel.hasSubscribers) channel.publish(event)
}

function prototypeOf(object: Channel): Channel {
  return Object.getPrototypeOf(object) as Channel
}

function guardOf(listener: ChannelListener): ChannelListener {
  let guard = guards.get(listener)
  if (!guard) {
    guard = (message, name) => {
      try {
        listener(message, name)
      } catch (error) {
        process.emitWarning(`a subscriber of ${channelName} threw: ${reasonOf(error)}`, 'SessionWarning')
      }
    }
    guards.set(listener, guard)
    guards.set(guard, guard)
  }
  return guard
}
