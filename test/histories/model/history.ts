/*
 * A history: what processes asked of a store, and what it answered. Times are nanoseconds of the machine's monotonic clock, which all
 * processes share.
 */

/**
 * What an operation asks of the store. `move` is an update that leaves a marker, `refuse` an update whose recipe throws, and `remove` an update
 * whose recipe answers `null`. `list` asks for all records, or for those of an owner.
 */
export type Kind = 'create' | 'read' | 'update' | 'move' | 'refuse' | 'remove' | 'destroy' | 'list'

/** What is known when an operation begins. */
export interface Call {
  /** No other operation has it. Each commit appends the id of its operation to the record. */
  readonly id: string
  readonly kind: Kind
  /** The name of the session. Absent: a listing. */
  readonly session?: string
  /** The owner whom a commit sets, or whose sessions are listed. */
  readonly owner?: string
  /** The deadline that a commit sets. */
  readonly expires?: number
  /** The clock of the store object: an index into `History.clocks`. */
  readonly clock: number
  readonly began: number
}

/** A record as an operation saw it. */
export interface Seen {
  readonly rev: number
  /** Empty: not known. */
  readonly write: string
  /** The operations that have committed to the record, in order, with spaces between them. */
  readonly operations: string
  readonly expires: number
  readonly owner?: string
  readonly moved?: true
  /** Why this cannot be a state that somebody has committed. */
  readonly flaw?: string
}

/** How an operation ended. */
export type Outcome =
  /** What was read or written, or the last state that `destroy` or `remove` answered. */
  | { readonly type: 'record'; readonly seen: Seen }
  /** There was no record. */
  | { readonly type: 'none' }
  /** `create` answered `true`. */
  | { readonly type: 'created' }
  /** `create` answered `false`. */
  | { readonly type: 'taken' }
  /** The recipe's own error came back. */
  | { readonly type: 'refused' }
  /** What a listing showed, by the names of the sessions. A session that was shown twice is there twice. */
  | { readonly type: 'listed'; readonly sessions: readonly (readonly [string, Seen])[] }
  /** The call failed: whether it was carried out is not known. */
  | { readonly type: 'failed'; readonly reason: string }

/** An operation without an outcome is one whose process was killed: whether it was carried out is not known. */
export interface Operation extends Call {
  readonly worker: string
  readonly outcome?: Outcome
  /** Infinite when there is no outcome. */
  readonly ended: number
}

/** A clock that runs faster than the machine's, and shows another time than the clocks of others. */
export interface Clock {
  /** What it shows at `origin`, in milliseconds since the epoch. */
  readonly base: number
  /** A moment of the machine's clock, in nanoseconds. */
  readonly origin: number
  /** How many of its milliseconds one millisecond of the machine has. */
  readonly speed: number
}

/** A time in which the backend may lose any session. */
export interface Loss {
  readonly from: number
  readonly until: number
}

export interface History {
  readonly operations: readonly Operation[]
  readonly clocks: readonly Clock[]
  /** Texts that the store called corrupt. */
  readonly corrupt: readonly { readonly id: string; readonly reason: string }[]
  /** Whether the store removes sessions without an owner when there are too many. */
  readonly evicts?: boolean
  readonly losses?: readonly Loss[]
}

/** What one clock shows. @param at nanoseconds of the machine's clock. */
export function timeAt({ base, origin, speed }: Clock, at: number): number {
  return base + Math.floor(((at - origin) / 1e6) * speed)
}

/** When the clock shows a time, in nanoseconds of the machine's clock. */
export function momentOf({ base, origin, speed }: Clock, time: number): number {
  return origin + ((time - base) / speed) * 1e6
}

/** Whether it is unknown if the operation was carried out. */
export function isUnknown({ outcome }: Operation): boolean {
  return outcome === undefined || outcome.type === 'failed'
}

/** The time of the machine's monotonic clock, in nanoseconds. */
export function monotonicTime(): number {
  return Number(process.hrtime.bigint())
}
