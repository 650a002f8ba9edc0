import { isUnknown, type Operation } from './history.js'

/*
 * The sequential model of one session itself, and a search for an order of the operations that it allows. The search takes exponential time. It
 * shows that the checker, which takes linear time, answers the same.
 */

/** `'new'`: nobody has created it. `'ended'`: it is gone for good. Otherwise the operations that committed, with spaces between them. */
type State = string

/** Whether some order of the operations explains every answer and keeps the order in which operations followed each other. */
export function isLinearizable(operations: readonly Operation[]): boolean {
  const failed = new Set<string>()
  return search('new', operations)

  function search(state: State, left: readonly Operation[]): boolean {
    if (left.every(isUnknown)) return true
    const key = `${state}|${left.map(({ id }) => id).join()}`
    if (failed.has(key)) return false
    const firstEnd = Math.min(...left.map(({ ended }) => ended))
    for (const next of left) {
      if (next.began > firstEnd) continue
      const after = apply(state, next)
      if (after !== undefined && search(after, left.filter((each) => each !== next))) return true
    }
    failed.add(key)
    return false
  }
}

/** The state after an operation. `undefined`: the operation cannot have had its outcome in this state. */
function apply(state: State, operation: Operation): State | undefined {
  const { id, kind, outcome } = operation
  const isPresent = state !== 'new' && state !== 'ended'
  const seen = outcome?.type === 'record' ? outcome.seen.operations : undefined
  if (outcome?.type === 'none') return isPresent ? undefined : state
  switch (kind) {
    case 'create':
      if (outcome?.type === 'taken') return isPresent ? state : undefined
      return state === 'new' ? id : undefined
    case 'read':
      return isPresent && (isUnknown(operation) || seen === state) ? state : undefined
    case 'update':
      return isPresent && (isUnknown(operation) || seen === `${state} ${id}`) ? `${state} ${id}` : undefined
    case 'destroy':
    case 'remove':
      return isPresent && (isUnknown(operation) || seen === state) ? 'ended' : undefined
    default:
      return state
  }
}
