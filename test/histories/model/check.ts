import { chainOf } from './chain.js'
import type { History } from './history.js'
import { checkListings, type CheckedSession } from './listings.js'
import { orderOf } from './order.js'
import { bySession } from './sightings.js'
import type { Violation } from './violation.js'

/** Checks a history against the sequential model of each session, in a time that grows as the history does. Answers what contradicts it. */
export function check(history: History): Violation[] {
  const violations: Violation[] = history.corrupt.map(({ id, reason }) => ({ kind: 'torn record', session: id, message: `the store found a corrupt record: ${reason}`, witnesses: [] }))
  const checked: CheckedSession[] = []
  for (const session of bySession(history).values()) {
    const states = chainOf(session)
    if (!Array.isArray(states)) {
      violations.push(states)
      continue
    }
    const order = orderOf(session, states, history)
    if ('kind' in order) violations.push(order)
    else checked.push({ name: session.name, states, order })
  }
  return [...violations, ...checkListings(history, checked)]
}
