import { channel as channelOf } from 'node:diagnostics_channel'

/** An event in the life of a session. `id` is the SHA-256 of the sid, never the sid. */
export type SessionEvent =
  | { type: 'create' | 'load' | 'save' | 'refresh' | 'destroy' | 'conflict' | 'expire'; id: string }
  /** The sid was replaced: `id` is the new one's, `from` the old one's. */
  | { type: 'regenerate'; id: string; from: string }
  /** A login gave the session an owner and a new sid: `id` is the new one's, `from` the old one's, `undefined` for a new session. */
  | { type: 'login'; id: string; from: string | undefined; owner: string }
  /** The session of `id` was created from one of an earlier library: see the option `migrate`. */
  | { type: 'migrate'; id: string; bridge: string }
  /** A session was ended from outside its own requests: by its owner's other session, or by the application. */
  | { type: 'end'; id: string; owner: string | undefined }
  /**
   * Changes of a request were dropped, because the session was gone (`gone`) or has a new sid (`moved`), because they were made after the
   * request's end (`late`), or because a cookie was needed and the headers were sent already (`headers-sent`).
   */
  | { type: 'dropped'; id: string | undefined; reason: 'gone' | 'moved' | 'late' | 'headers-sent' }
  /** A live session was removed because the store holds more sessions than its threshold. */
  | { type: 'evict'; id: string }
  /** The text that is stored under the id is not a record. */
  | { type: 'corrupt'; id: string; reason: string }
  /** A cookie verified, but there is no live record of its session. */
  | { type: 'missing'; id: string }
  /** A cookie of the session's name did not verify. */
  | { type: 'invalid-cookie'; id: undefined; reason: 'malformed' | 'signature' | 'ambiguous' | 'too-many' }
  /** The store failed or took too long. */
  | { type: 'store-error'; id: string | undefined; error: unknown }

/** The `node:diagnostics_channel` on which every `SessionEvent` is published. */
export const channelName = 'koa-keepsake:session'

const channel = channelOf(channelName)

/** Publishes an event. It costs next to nothing without a subscriber. */
export function emit(event: SessionEvent): void {
  if (channel.hasSubscribers) channel.publish(event)
}
