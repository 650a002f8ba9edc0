import type { State } from './chain.js'
import { isOverFor, mustBeOverFor, possibleEndings, unseenCommits, type Ending } from './endings.js'
import type { History, Operation } from './history.js'
import type { SessionHistory } from './sightings.js'
import type { Violation, ViolationKind } from './violation.js'

/*
 * When each step of a session happened: step n is the commit of revision n, and the step after the last one is the end.
 *
 * A step happens at one moment between the beginning and the end of its operation. An operation that saw revision n says that step n
 * happened before it ended, and that step n + 1 happened after it began. Nothing else restricts the moments but the order of the steps. So
 * the history is linearizable if each step has its earliest moment before its latest one, where the latest one is also before that of every
 * later step: then each step can be put to its latest moment.
 */

interface Bound {
  readonly at: number
  /** The operation that says so. */
  readonly by: Operation | undefined
}

/** When the steps of a session can have happened. */
export interface Order {
  /** By step, from 1 on. */
  readonly earliest: readonly number[]
  readonly latest: readonly number[]
  /** The first moment at which the session can have ended. Infinite: it has not. */
  readonly endsFrom: number
  /** The operations that may have committed a state which nobody saw. */
  readonly unseen: readonly Operation[]
}

export function orderOf(session: SessionHistory, states: readonly State[], history: History): Order | Violation {
  const { name, operations } = session
  const { clocks } = history
  const end = states.length + 1
  const after: Bound[] = Array.from({ length: end + 1 }, () => ({ at: -Infinity, by: undefined }))
  const before: Bound[] = Array.from({ length: end + 1 }, () => ({ at: Infinity, by: undefined }))
  const violation = (kind: ViolationKind, message: string, ...witnesses: Operation[]): Violation => ({ kind, session: name, message, witnesses })
  const isAfter = (step: number, by: Operation): void => {
    if (by.began > after[step]!.at) after[step] = { at: by.began, by }
  }
  const isBefore = (step: number, by: Operation): void => {
    if (by.ended < before[step]!.at) before[step] = { at: by.ended, by }
  }

  for (const [at, state] of states.entries()) {
    isAfter(at + 1, state.commit)
    for (const { by } of state.sightings) {
      isBefore(at + 1, by)
      isAfter(at + 2, by)
      if (by !== state.commit && mustBeOverFor(by, state, clocks)) return violation('expired record', `revision ${at + 1} was found after its deadline`, by)
    }
  }
  for (const each of operations) {
    if (each.outcome?.type !== 'taken') continue
    if (states.length === 0) return violation('phantom write', 'a creation was refused, although nobody had created the session', each)
    isBefore(1, each)
    isAfter(end, each)
  }

  const removals = operations.filter(({ kind, outcome }) => (kind === 'destroy' || kind === 'remove') && outcome?.type === 'record')
  const [removal, secondRemoval] = removals
  if (removal && secondRemoval) return violation('resurrection', 'the session was removed twice', removal, secondRemoval)
  if (removal) {
    const wrong = wrongLastState(removal, states)
    if (wrong) return violation(...wrong)
    isAfter(end, removal)
    isBefore(end, removal)
  }

  const latest = latestOf(before)
  const unseen = unseenCommits(session, states)
  // An operation that found nothing, although it began when the session was there, comes after the end.
  const misses = operations.filter((each) => each.outcome?.type === 'none' && each.began > latest[1]!.at && !isExcused(each))
  for (const miss of misses) isBefore(end, miss)

  const earliest = earliestOf(after)
  const endings = removal ? [] : possibleEndings(session, states, unseen, history)
  if (misses.length > 0 && !removal) {
    const last = before[end]!
    if (!endings.some(({ from, until }) => from <= last.at && until >= after[end]!.at)) {
      return violation('lost record', 'the session is gone, and nobody has ended it', states.at(-1)!.commit, last.by!)
    }
  }
  const contradiction = findContradiction(after, latestOf(before), states.length)
  if (contradiction) return violation(...contradiction)
  return { earliest, latest: latestOf(before).map(({ at }) => at), endsFrom: endOf(removal, endings, earliest[end]!), unseen }

  /** Whether the session was over by the clock of the operation, in one of the states that it can have met. */
  function isExcused(miss: Operation): boolean {
    return states.some((state, at) => earliestOf(after)[at + 1]! <= miss.ended && latest[at + 2]!.at >= miss.began && isOverFor(miss, state, unseen, clocks))
  }
}

function latestOf(before: readonly Bound[]): Bound[] {
  const latest = [...before]
  for (let step = latest.length - 2; step > 0; step--) if (latest[step + 1]!.at < latest[step]!.at) latest[step] = latest[step + 1]!
  return latest
}

function earliestOf(after: readonly Bound[]): number[] {
  const earliest = after.map(({ at }) => at)
  for (let step = 2; step < earliest.length; step++) earliest[step] = Math.max(earliest[step]!, earliest[step - 1]!)
  return earliest
}

function endOf(removal: Operation | undefined, endings: readonly Ending[], earliest: number): number {
  if (removal) return earliest
  return Math.max(earliest, Math.min(Infinity, ...endings.map(({ from }) => from)))
}

type Contradiction = [ViolationKind, string, ...Operation[]]

/** A removal must answer the last state, and no commit must follow. */
function wrongLastState(removal: Operation, states: readonly State[]): Contradiction | undefined {
  const { outcome } = removal
  const rev = outcome?.type === 'record' ? outcome.seen.rev : 0
  if (rev === states.length) return undefined
  const next = states[rev]!
  const late = states.slice(rev).flatMap(({ sightings }) => sightings).find(({ by }) => by.began > removal.ended)
  if (late) return ['resurrection', `revision ${late.seen.rev} was there after the session had been removed at revision ${rev}`, removal, next.commit, late.by]
  return ['wrong last state', `the removal answered revision ${rev}, but revision ${states.length} was committed`, removal, next.commit]
}

function findContradiction(after: readonly Bound[], latest: readonly Bound[], revisions: number): Contradiction | undefined {
  for (let step = 1; step < after.length; step++) {
    const [low, high] = [after[step]!, latest[step]!]
    if (low.at <= high.at) continue
    const witnesses = [high.by, low.by].filter((each) => each !== undefined)
    if (step > revisions) return ['resurrection', `revision ${revisions} was there after the session had ended`, ...witnesses]
    if (low.by?.session !== undefined && low.by.outcome?.type !== 'none' && !sawEarlier(low.by, step)) {
      return ['phantom write', `revision ${step} was there before the operation that committed it began`, ...witnesses]
    }
    return ['stale read', `revision ${step - 1} was seen after revision ${step} had been acknowledged or seen`, ...witnesses]
  }
  return undefined
}

/** Whether an operation restricts a step because it saw the state before. */
function sawEarlier({ kind, outcome }: Operation, step: number): boolean {
  return kind !== 'update' && kind !== 'move' && outcome?.type === 'record' && outcome.seen.rev === step - 1
}
