import type { Operation } from './history.js'

/** How a history can contradict the sequential model. */
export type ViolationKind =
  /** An acknowledged commit is not in a later state, or a revision has two states. */
  | 'lost update'
  /** A state that was replaced before the operation began. */
  | 'stale read'
  /** A state that was there after the session had ended. */
  | 'resurrection'
  /** An operation that committed twice. */
  | 'double application'
  /** A record that nobody has committed in this form. */
  | 'torn record'
  /** A removal that answered another state than the last one. */
  | 'wrong last state'
  /** A commit of an operation that made none, or before it began. */
  | 'phantom write'
  /** A session that is gone, although nobody ended it. */
  | 'lost record'
  /** A session that was opened after its deadline. */
  | 'expired record'
  /** A listing that misses a session, shows one twice, or shows somebody else's. */
  | 'wrong listing'

/** A contradiction, and the operations that it consists of. */
export interface Violation {
  readonly kind: ViolationKind
  /** The name of the session. */
  readonly session: string
  readonly message: string
  readonly witnesses: readonly Operation[]
}
