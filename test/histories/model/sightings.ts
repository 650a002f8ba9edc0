import type { History, Operation, Seen } from './history.js'

/** A record that an operation saw, wrote or removed. */
export interface Sighting {
  readonly seen: Seen
  readonly by: Operation
}

/** What happened to one session. */
export interface SessionHistory {
  readonly name: string
  /** The operations on the session itself. */
  readonly operations: readonly Operation[]
  /** All records of the session that were seen, those in listings too. */
  readonly sightings: readonly Sighting[]
}

/** The history of each session, by name. */
export function bySession({ operations }: History): Map<string, SessionHistory> {
  const sessions = new Map<string, { name: string; operations: Operation[]; sightings: Sighting[] }>()
  const of = (name: string) => {
    let session = sessions.get(name)
    if (!session) sessions.set(name, (session = { name, operations: [], sightings: [] }))
    return session
  }
  for (const operation of operations) {
    const { session, outcome } = operation
    if (outcome?.type === 'listed') for (const [name, seen] of outcome.sessions) of(name).sightings.push({ seen, by: operation })
    if (session === undefined) continue
    of(session).operations.push(operation)
    if (outcome?.type === 'record') of(session).sightings.push({ seen: outcome.seen, by: operation })
    else if (outcome?.type === 'created') of(session).sightings.push({ seen: createdBy(operation), by: operation })
  }
  return sessions
}

/** The record as its creation made it. */
export function createdBy({ id, expires = Infinity, owner }: Operation): Seen {
  return { rev: 1, write: '', operations: id, expires, ...(owner !== undefined && { owner }) }
}
