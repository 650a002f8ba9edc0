/** The options of `session()` that decide how long a session lives and how a request saves it. */
export interface SessionRules {
  /** Whether a new session's cookie outlives the browser. */
  readonly permanent: boolean
  /** The idle lifetime in milliseconds, for sessions without one of their own. */
  readonly lifetime: number
  /** The maximum age of a session in milliseconds, however active it is; `Infinity` for none. */
  readonly absoluteLifetime: number
  readonly refreshEachRequest: boolean
  /** The shortest time between two moves of a deadline, in milliseconds. */
  readonly touchAfter: number
  /** The maximum size of a record in bytes. */
  readonly maxBytes: number
  readonly onStoreError: 'fail' | 'anonymous'
  /** The maximum number of sessions of one owner; `undefined` for none. */
  readonly maxPerOwner: number | undefined
  /** The clock: milliseconds since the epoch. */
  readonly now: () => number
}
