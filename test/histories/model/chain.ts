import { isUnknown, type Operation, type Seen } from './history.js'
import { createdBy, type SessionHistory, type Sighting } from './sightings.js'
import type { Violation, ViolationKind } from './violation.js'

/*
 * Each commit adds 1 to the revision and appends the id of its operation to the record. So the longest list that anybody saw names every
 * commit in its order, and every other record that was seen must be one of the states on the way there. No search is needed.
 */

/** A state of a session: revision n is at index n - 1 of a chain. */
export interface State {
  readonly seen: Seen
  /** The operation that committed it. */
  readonly commit: Operation
  /** Who saw it. */
  readonly sightings: readonly Sighting[]
}

/** The states of a session in the order of their commits. Answers a violation if what was seen is not one such order. */
export function chainOf(session: SessionHistory): State[] | Violation {
  const { name, sightings } = session
  const violation = (kind: ViolationKind, message: string, ...witnesses: Operation[]): Violation => ({ kind, session: name, message, witnesses })

  const torn = sightings.find(({ seen }) => seen.flaw !== undefined)
  if (torn) return violation('torn record', `nobody has committed the record that was seen: ${torn.seen.flaw}`, torn.by)
  const longest = sightings.reduce<Sighting | undefined>((best, each) => (best && best.seen.rev >= each.seen.rev ? best : each), undefined) ?? unseenCreation(session)
  if (!longest) return []

  const ids = longest.seen.operations.split(' ')
  const byId = new Map(session.operations.map((each) => [each.id, each]))
  const commits: Operation[] = []
  for (const [at, id] of ids.entries()) {
    const commit = byId.get(id)
    if (ids.indexOf(id) < at) return violation('double application', `operation ${id} committed revision ${ids.indexOf(id) + 1} and revision ${at + 1}`, ...(commit ? [commit] : []), longest.by)
    if (!commit) return violation('torn record', `revision ${at + 1} was committed by ${id}, which is no operation on this session`, longest.by)
    const contradiction = whyNoCommit(commit, at + 1)
    if (contradiction !== undefined) return violation('phantom write', contradiction, commit, longest.by)
    commits.push(commit)
  }
  return statesOf(session, commits, violation)
}

/** Sorts what was seen into the states that follow from the commits. */
function statesOf({ sightings }: SessionHistory, commits: readonly Operation[], violation: (kind: ViolationKind, message: string, ...witnesses: Operation[]) => Violation): State[] | Violation {
  const states: (State & { sightings: Sighting[] })[] = []
  for (const commit of commits) states.push({ seen: follow(states.at(-1)?.seen, commit), commit, sightings: [] })
  for (const sighting of sightings) {
    const { seen, by } = sighting
    const state = states[seen.rev - 1]!
    const first = state.sightings[0]
    if (seen.operations !== state.seen.operations) {
      return violation('lost update', `revision ${seen.rev} has two states, one of them written by ${lastOf(seen)} and the other one by ${state.commit.id}`, by, state.commit)
    }
    if ((by.kind === 'update' || by.kind === 'move') && by !== state.commit) {
      return violation('lost update', `the answer to ${by.id} is revision ${seen.rev}, which ${state.commit.id} committed`, by, state.commit)
    }
    // A creation does not answer the record.
    const other = state.sightings.find((each) => each.seen.write !== '')
    if (other && seen.write !== '' && seen.write !== other.seen.write) {
      return violation('lost update', `revision ${seen.rev} was written twice: its mark is ${seen.write} and ${other.seen.write}`, by, other.by)
    }
    for (const field of ['owner', 'expires', 'moved'] as const) {
      if (seen[field] !== state.seen[field]) {
        return violation('torn record', `${field} of revision ${seen.rev} is ${seen[field]}, but the commits make it ${state.seen[field]}`, by, ...(first ? [first.by] : []))
      }
    }
    state.sightings.push(sighting)
  }
  return states
}

/** The state that a commit makes of the one before. */
function follow(before: Seen | undefined, commit: Operation): Seen {
  if (!before) return createdBy(commit)
  const { id, kind, owner = before.owner, expires = before.expires } = commit
  const isMarker = kind === 'move' || before.moved
  const next = { rev: before.rev + 1, write: '', operations: `${before.operations} ${id}`, expires }
  return { ...next, ...(owner !== undefined && !isMarker && { owner }), ...(isMarker && { moved: true }) }
}

/** Why an operation cannot have committed a revision. */
function whyNoCommit(operation: Operation, rev: number): string | undefined {
  const { id, kind, outcome } = operation
  const isCreation = kind === 'create'
  if (isCreation !== (rev === 1) || !['create', 'update', 'move'].includes(kind)) return `revision ${rev} was committed by ${id}, which is a ${kind}`
  if (isUnknown(operation)) return undefined
  if (isCreation) return outcome?.type === 'created' ? undefined : `the creation ${id} was refused, but there is a record of it`
  return outcome?.type === 'record' ? undefined : `${id} was answered "${outcome?.type}", but it committed revision ${rev}`
}

/** A creation whose record nobody saw, but which another creation met. */
function unseenCreation({ operations }: SessionHistory): Sighting | undefined {
  if (!operations.some(({ outcome }) => outcome?.type === 'taken')) return undefined
  const candidates = operations.filter((each) => each.kind === 'create' && isUnknown(each)).toSorted((one, other) => one.began - other.began)
  return candidates[0] && { seen: createdBy(candidates[0]), by: candidates[0] }
}

function lastOf({ operations }: Seen): string {
  return operations.slice(operations.lastIndexOf(' ') + 1)
}
