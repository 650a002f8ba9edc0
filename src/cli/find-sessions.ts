import { followMarker } from '../request/index.js'
import type { SessionRecord } from '../store/index.js'
import { CommandError } from './io.js'
import { listingOf, type Opened } from './open-store.js'

const idLength = 64
/** The fewest digits by which a session can be named. */
const leastDigits = 6

/** A session that was named by its id or the beginning of it. `undefined`: there is none. */
export interface Named {
  readonly name: string
  readonly record: SessionRecord | undefined
}

/**
 * Finds sessions by their ids. As `list` shows only the first digits where there is little room, these are enough if they name one session.
 *
 * @throws CommandError for what cannot be an id. It does not quote it, because somebody may have typed a sid.
 */
export async function findSessions(opened: Opened, names: readonly string[]): Promise<Named[]> {
  for (const name of names) {
    if (/^[0-9a-f]+$/.test(name) && name.length >= leastDigits && name.length <= idLength) continue
    throw new CommandError(`an ID has ${leastDigits} to ${idLength} hexadecimal digits, as list shows it (never pass the value of a cookie: it opens the session)`)
  }
  const starts = [...new Set(names)]
  const short = starts.filter((name) => name.length < idLength)
  const found = new Map<string, SessionRecord>()
  if (short.length > 0) {
    for await (const record of listingOf(opened)) {
      for (const name of short) {
        if (!record.id.startsWith(name)) continue
        if (found.has(name)) throw new CommandError(`more than one session has an ID that begins with ${name}: pass more digits`)
        found.set(name, record)
      }
    }
  }
  return Promise.all(starts.map(async (name) => ({ name, record: name.length < idLength ? found.get(name) : await readNewest(opened, name) })))
}

/** Reads a session. If it has a new sid, returns the record under the new one. */
async function readNewest({ store }: Opened, id: string): Promise<SessionRecord | undefined> {
  const record = await store.read(id)
  return record?.moved ? followMarker(store, record) : record
}
