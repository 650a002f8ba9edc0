import type { State } from './chain.js'
import { isOverFor } from './endings.js'
import type { History, Operation } from './history.js'
import type { Order } from './order.js'
import type { Violation } from './violation.js'

/** A session whose steps are in order. */
export interface CheckedSession {
  readonly name: string
  readonly states: readonly State[]
  readonly order: Order
}

/** What listings show that they must not show, and what they miss. */
export function checkListings({ operations, clocks }: History, sessions: readonly CheckedSession[]): Violation[] {
  const violations: Violation[] = []
  for (const listing of operations) {
    if (listing.outcome?.type !== 'listed') continue
    const shown = new Set<string>()
    for (const [name, seen] of listing.outcome.sessions) {
      const violation = (message: string): void => void violations.push({ kind: 'wrong listing', session: name, message, witnesses: [listing] })
      if (shown.has(name)) violation('the session is listed twice')
      if (seen.moved) violation('a marker is listed')
      if (listing.owner !== undefined && seen.owner !== listing.owner) violation(`the list of ${listing.owner} shows a session of ${seen.owner}`)
      shown.add(name)
    }
    for (const { name, states, order } of sessions) {
      if (shown.has(name) || !mustShow(listing, states, order)) continue
      violations.push({ kind: 'wrong listing', session: name, message: 'the session was there all the time, and is not listed', witnesses: around(listing, states) })
    }
  }
  return violations

  /** Whether the session was there from the beginning of the listing to its end, in states that the listing has to show. */
  function mustShow(listing: Operation, states: readonly State[], { earliest, latest, endsFrom, unseen }: Order): boolean {
    if (states.length === 0 || latest[1]! > listing.began || endsFrom <= listing.ended) return false
    if (unseen.some((each) => each.kind === 'move' || each.owner !== undefined)) return false
    return states.every((state, at) => {
      const wasPresent = earliest[at + 1]! <= listing.ended && latest[at + 2]! >= listing.began
      if (!wasPresent) return true
      const { owner, moved } = state.seen
      return !moved && (listing.owner === undefined || owner === listing.owner) && !isOverFor(listing, state, unseen, clocks)
    })
  }
}

/** The listing, the last operation before it that saw the session, and the first one after it. */
function around(listing: Operation, states: readonly State[]): Operation[] {
  const all = states.flatMap(({ sightings }) => sightings.map(({ by }) => by))
  const before = all.filter(({ ended }) => ended <= listing.began).reduce<Operation | undefined>((last, each) => (last && last.ended > each.ended ? last : each), undefined)
  const after = all.filter(({ began }) => began >= listing.ended).reduce<Operation | undefined>((first, each) => (first && first.began < each.began ? first : each), undefined)
  return [before, listing, after].filter((each) => each !== undefined)
}
