import { graceAfterDeadline } from '../../../src/store/index.js'
import { isUnknown, momentOf, timeAt, type Clock, type History, type Operation } from './history.js'
import type { State } from './chain.js'
import type { SessionHistory } from './sightings.js'

/** A way in which a session can have ended without an acknowledged removal: the span of time, in nanoseconds. */
export interface Ending {
  readonly from: number
  readonly until: number
}

/** Clocks show whole milliseconds, and a moment is computed from them: so much does not count, in milliseconds of a clock. */
const tolerance = 2

/** The operations that may have committed a state which nobody saw. */
export function unseenCommits({ operations }: SessionHistory, states: readonly State[]): Operation[] {
  const seen = new Set(states.map(({ commit }) => commit))
  return operations.filter((each) => isUnknown(each) && (each.kind === 'update' || each.kind === 'move') && !seen.has(each))
}

/** The ways in which a session can have ended by itself, or by a removal whose outcome is not known. */
export function possibleEndings(session: SessionHistory, states: readonly State[], unseen: readonly Operation[], { clocks, evicts = false, losses = [] }: History): Ending[] {
  const endings: Ending[] = losses.map(({ from, until }) => ({ from, until }))
  for (const each of session.operations) {
    if (isUnknown(each) && (each.kind === 'destroy' || each.kind === 'remove')) endings.push({ from: each.began, until: Infinity })
  }
  const last = states.at(-1)?.seen
  if (!last) return endings
  const isMarker = last.moved || unseen.some(({ kind }) => kind === 'move')
  if (evicts && (last.owner === undefined || isMarker)) endings.push({ from: 0, until: Infinity })
  // When there are too many sessions, one that has expired goes at once.
  const grace = isMarker || evicts ? 0 : graceAfterDeadline
  const deadline = Math.min(...deadlinesOf(last.expires, unseen)) + grace - tolerance
  const from = Math.min(...clocks.map((clock) => momentOf(clock, deadline)))
  if (Number.isFinite(from)) endings.push({ from, until: Infinity })
  return endings
}

/** Whether an operation need not have found the state, because the session was over by the operation's own clock. */
export function isOverFor(operation: Operation, { seen }: State, unseen: readonly Operation[], clocks: readonly Clock[]): boolean {
  const { clock, ended, kind } = operation
  const needsLive = kind === 'read' || kind === 'list'
  const isMarker = seen.moved || unseen.some((each) => each.kind === 'move')
  const grace = needsLive || isMarker ? 0 : graceAfterDeadline
  const last = ended === Infinity ? Infinity : timeAt(clocks[clock]!, ended)
  return deadlinesOf(seen.expires, unseen).some((deadline) => last + tolerance >= deadline + grace)
}

/** Whether the session was over by the operation's own clock before the operation began, so that it must not have found this state. */
export function mustBeOverFor({ clock, began, kind }: Operation, { seen }: State, clocks: readonly Clock[]): boolean {
  const grace = kind === 'read' || kind === 'list' || seen.moved ? 0 : graceAfterDeadline
  return timeAt(clocks[clock]!, began) - tolerance >= seen.expires + grace
}

function deadlinesOf(expires: number, unseen: readonly Operation[]): number[] {
  return [expires, ...unseen.flatMap((each) => each.expires ?? [])]
}
