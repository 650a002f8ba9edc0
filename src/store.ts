/** A value as it stands in JSON text. */
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json }

/** What is stored for one session. Unknown fields, written by a newer version, are kept. */
export interface SessionRecord {
  /** Revision: 1 when created, +1 on every write. */
  rev: number
  /** Lower-case hex SHA-256 of the sid. */
  id: string
  /** Milliseconds since the epoch. */
  created: number
  /** The deadline, in milliseconds since the epoch: from then on the record exists for nobody. */
  expires: number
  /** Whether the cookie outlives the browser. */
  permanent: boolean
  /** The session's own idle lifetime in milliseconds. Absent: the middleware's. */
  lifetime?: number
  /** The data, with values of other kinds than JSON's in their tagged form (see values.ts). */
  data: { [key: string]: Json }
}

/**
 * A pure function from the stored record to the one that replaces it, or `null` to remove it. A store may call it more
 * than once, each time with the newest record; it does not change its argument. The store sets `rev` of what it returns.
 */
export type Recipe = (current: SessionRecord) => SessionRecord | null

/** How one middleware uses a store. */
export interface StoreScope {
  /** Put before every id. */
  prefix: string
  /** The clock: milliseconds since the epoch. */
  now: () => number
}

/**
 * Where records live, by id.
 *
 * - Missing and expired are values (`undefined`), never errors. A rejected promise means that the backend failed, and the
 *   caller must not take it for "no session".
 * - A record whose deadline has passed is gone for every method, whether or not the backend still holds it; so is one
 *   that cannot be parsed or that names another id, about which an event is emitted (`corrupt`).
 * - There is no upsert: only `create` makes a record, and only where there is none. That is what makes it impossible
 *   for a late save to bring a destroyed session back.
 * - `update` is atomic across every process that uses the same backend: the recipe's result is written only if the
 *   record is still the one that the recipe was given. On a conflict the store reads again and calls the recipe again;
 *   after a bounded number of tries it rejects with a `SessionError` of code `ERR_SESSION_CONFLICT`. An error that the
 *   recipe throws rejects the call and leaves the record as it was.
 * - `destroy` answers the very last state: no update can commit between that state and the removal.
 * - Records are copied on the way in and on the way out: nothing the caller does to one afterwards reaches the store.
 * - Any number of calls, for the same id too, may be under way at once.
 */
export interface SessionStore {
  /** The live record, or `undefined`. */
  read(id: string): Promise<SessionRecord | undefined>
  /** Stores a new record (`rev` 1). `false`: a live record has that id already, and nothing was written. */
  create(id: string, record: SessionRecord): Promise<boolean>
  /**
   * Replaces the record by what the recipe makes of it. Answers what was written (with its new `rev`), `null` when the
   * recipe removed it, or `undefined` when there was no live record, in which case nothing was written.
   *
   * `seen` is a record that this store gave out earlier for the same id: tried first, so that an uncontended update
   * need not read.
   */
  update(id: string, recipe: Recipe, seen?: SessionRecord): Promise<SessionRecord | null | undefined>
  /** Removes the record and answers its last state, or `undefined` when there was none. */
  destroy(id: string): Promise<SessionRecord | undefined>

  /** Every live record, in no order; records that come or go meanwhile may or may not be among them. */
  records?(): AsyncIterable<SessionRecord>
  /** Removes expired records; answers how many. Backends that expire by themselves answer 0. */
  prune?(): Promise<number>
  /** Waits for what is under way and releases what the store opened. May be called twice; other calls then reject. */
  close?(): Promise<void>

  /**
   * The same store as one middleware uses it: with its key prefix and its clock. Closing the store closes its scopes.
   * Absent: the middleware's `prefix` cannot be applied, so giving one is refused.
   * @default { prefix: 'session:', now: Date.now }
   */
  scope?(scope: StoreScope): SessionStore
}

/** The scope of a store that is used directly. */
export const defaultScope: StoreScope = { prefix: 'session:', now: () => Date.now() }
