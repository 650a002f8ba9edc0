import type { SessionRecord } from '../record/index.js'

/** A value, or a promise of it: a store that need not wait returns the value itself. */
export type MaybePromise<T> = T | Promise<T>

/**
 * A pure function from the stored record to the record that replaces it, or to `null` to remove it.
 *
 * A store may call it more than once, each time with the newest record. The store sets `rev` and `write` of what it returns.
 */
export type Recipe = (current: SessionRecord) => SessionRecord | null

/** The settings with which one middleware uses a store. */
export interface StoreScope {
  /** Prefix of every id. */
  readonly prefix: string
  /** The clock: milliseconds since the epoch. */
  readonly now: () => number
  /** The size in bytes over which a stored text is corrupt and is not parsed: twice the middleware's `maxBytes`, or with its option `seal` three times. */
  readonly largest: number
}

/**
 * Keeps records by id.
 *
 * **Ids.** An id is the SHA-256 of a sid, as 64 lower-case hexadecimal digits. A store refuses anything else with a `TypeError`.
 * An id is used for one session only.
 *
 * **Values and errors.** A record that is missing or has expired is a value (`undefined`), never an error. An error means that
 * the backend failed, or that a conflict did not end, and the caller must not take it for "no session". It is a `SessionError`:
 * `ERR_SESSION_STORE` when the backend failed, `ERR_SESSION_CONFLICT` when other writers were faster in each of a bounded number
 * of tries. Stores that `createStore` makes turn the errors of their backend into such errors.
 *
 * **Corrupt records.** A text that cannot be read as a record of its id counts as missing, and a `corrupt` event is published.
 * The store does not delete it.
 *
 * **Deadline.** A record is *live* while `now() < expires`, and only live records are read and listed. `update` and `destroy`
 * also find a record while `now() < expires + 60_000`, because a session that was live when a request arrived is live for that request.
 * So a backend that expires records by itself must keep them for that minute too. After it, the record is *gone* for every method, and
 * `create` finds its id free. (A `moved` marker may be gone at its deadline.)
 *
 * **No upsert.** Only `create` makes a record, and only where there is none. So a late save cannot bring a session back that was
 * destroyed.
 *
 * **Atomic.** `update` and `destroy` are atomic across every process that uses the same backend. `update` writes only if the
 * stored record still has the `rev` and the `write` of the record that the recipe was given; otherwise the store reads again and
 * calls the recipe again. A write is applied at most once. When the store cannot know whether it was applied, the call fails.
 *
 * **Immutable.** Neither a store nor its caller changes a record, so neither copies records. A store may return the same object to several callers.
 *
 * **Concurrent.** Any number of calls may be in progress at once, for the same id too. Every method may return a promise or the value itself.
 *
 * **Closed.** After `close()`, every other method rejects with `ERR_SESSION_STORE`.
 */
export interface SessionStore {
  /** Returns the live record, or `undefined`. It also returns a `moved` marker, which the listings leave out. */
  read(id: string): MaybePromise<SessionRecord | undefined>
  /**
   * Stores a new record, with `rev` 1 and the `write` that it comes with (see `createMark`). `false`: the id is taken, and nothing was
   * written.
   */
  create(id: string, record: SessionRecord): MaybePromise<boolean>
  /**
   * Replaces the record by the one that the recipe returns, with the next `rev` and a new `write`.
   *
   * Returns the written record with its new `rev` and `write`, `null` when the recipe removed it, or `undefined` when there was no
   * record, in which case nothing was written. If the recipe throws, the call rejects with that error and leaves the record as it was.
   *
   * @param seen a record of the same id, however old. This store has returned it or received it in `create`, or another store on the same
   * backend has. The store runs the recipe on it first, so that an uncontended update is one round trip. It is the same object that the
   * store returned, so the store may keep a CAS token for it.
   */
  update(id: string, recipe: Recipe, seen?: SessionRecord): MaybePromise<SessionRecord | null | undefined>
  /**
   * Removes the record. Returns its last state, or `undefined` when there was none. No update commits between that state and the
   * removal.
   */
  destroy(id: string): MaybePromise<SessionRecord | undefined>

  /** Lists every live record, in no order. Records that come or go meanwhile may or may not be listed. */
  records?(): AsyncIterable<SessionRecord>
  /**
   * Lists every live record of an owner, and nobody else's, in no order. A login that was acknowledged is listed until the session
   * ends, also after a crash at any moment. Absent: the store cannot list the sessions of an owner.
   */
  ownedBy?(owner: string): AsyncIterable<SessionRecord>
  /**
   * Removes records that are gone and returns how many it removed. Stores whose backend expires records by itself return 0. A store
   * that needs pruning schedules it itself, with timers that do not keep the process alive, unless its documentation says otherwise.
   */
  prune?(): Promise<number>
  /** Waits for calls in progress and closes the connections that the store opened. You may call it twice. */
  close?(): Promise<void>

  /** Called when a middleware begins to use the store. If it fails, the middleware warns that the server is not there. */
  start?(): MaybePromise<unknown>

  /**
   * Returns the same store with the prefix and the clock of one middleware. Closing one of them closes all.
   *
   * Absent: the middleware refuses its option `prefix`.
   * @default defaultScope
   */
  scope?(scope: StoreScope): SessionStore
}

/** The scope of a store that is used without a middleware. */
export const defaultScope: StoreScope = { prefix: 'session:', now: () => Date.now(), largest: 2 * 64 * 1024 }
