import type { SessionRecord } from '../store/index.js'

/** The records of a listing, sorted by id. */
export async function listed(records: AsyncIterable<SessionRecord>): Promise<SessionRecord[]> {
  const all: SessionRecord[] = []
  for await (const record of records) all.push(record)
  return byId(all)
}

export function byId(records: readonly SessionRecord[]): SessionRecord[] {
  return records.toSorted((one, other) => (one.id < other.id ? -1 : 1))
}
