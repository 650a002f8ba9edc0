import { isUntouchedCopy, originOf, stateOf, type SessionRecord } from '../store/index.js'

/**
 * The decision about a session that both stores have.
 *
 * `'write'`: the target's record is to be replaced by the source's. `'unchanged'`: both are the same. `'kept'`: only the target's application
 * has changed the session since it was copied. `'conflict'`: the applications of both stores have changed it.
 */
export type Decision = 'write' | 'unchanged' | 'kept' | 'conflict'

/** Decides by the states that the two records are in, and by the states that earlier copies have noted in them. */
export function decide(source: SessionRecord, target: SessionRecord): Decision {
  const state = stateOf(source)
  // The whole directory or database was copied by other means.
  if (stateOf(target) === state) return 'unchanged'
  if (originOf(target)?.from === state) return isUntouchedCopy(target) ? 'unchanged' : 'kept'
  if (isUntouchedCopy(target)) return 'write'
  // The source's record is a copy of the target's: the sessions go back to where they were.
  if (originOf(source)?.from === stateOf(target)) return isUntouchedCopy(source) ? 'unchanged' : 'write'
  // The user goes on under a new sid in the target.
  return target.moved ? 'kept' : 'conflict'
}
