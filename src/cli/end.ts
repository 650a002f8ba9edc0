import { isOwner } from '../record/index.js'
import { endOwned, endSession } from '../request/index.js'
import { TimedStore, type SessionRecord } from '../store/index.js'
import { confirm, declined } from './confirm.js'
import { findSessions } from './find-sessions.js'
import { CommandError, print, type Io } from './io.js'
import { listingOf, type Opened } from './open-store.js'
import { byUse, printSessions, rowOf } from './session-table.js'
import { printable, sessions } from './text.js'

/** How long one call to the store may take, in milliseconds. */
const timeout = 30_000
/** How many sessions the question shows at most. */
const mostShown = 10

export interface EndOptions {
  readonly owner?: string
  readonly yes?: boolean
}

/** `end ID…` and `end --owner X`: logs the users out. The status is 1 when one of the ids names no session. */
export async function end(opened: Opened, ids: readonly string[], { owner, yes = false }: EndOptions, io: Io): Promise<number> {
  if ((ids.length > 0) === (owner !== undefined)) throw new CommandError('say which sessions to end: give their IDs, or --owner with the id of a user')
  return owner === undefined ? endByIds(opened, ids, yes, io) : endByOwner(opened, owner, yes, io)
}

async function endByIds(opened: Opened, ids: readonly string[], yes: boolean, io: Io): Promise<number> {
  const named = await findSessions(opened, ids)
  const missing = named.filter(({ record }) => !record)
  const found = named.flatMap(({ record }) => record ?? [])
  for (const { name } of missing) await print(io.stderr, `there is no session ${name} in ${opened.name}`)
  if (found.length === 0) return 1
  if (!(await ask(opened, found, yes, io))) return declined(io)
  const store = new TimedStore(opened.store, timeout)
  let ended = 0
  for (const { id } of found) if (await endSession(store, id)) ended++
  await print(io.stdout, `ended ${sessions(ended)}`)
  return missing.length > 0 ? 1 : 0
}

async function endByOwner(opened: Opened, owner: string, yes: boolean, io: Io): Promise<number> {
  if (!isOwner(owner)) throw new CommandError('--owner must be the id of a user, of 1 to 256 characters')
  const found: SessionRecord[] = []
  for await (const record of listingOf(opened, owner)) found.push(record)
  if (found.length === 0) {
    await print(io.stderr, `${printable(owner)} has no sessions in ${opened.name}.`)
    return 0
  }
  if (!(await ask(opened, found, yes, io))) return declined(io)
  const ended = await endOwned(new TimedStore(opened.store, timeout), owner)
  await print(io.stdout, `ended ${sessions(ended)} of ${printable(owner)}`)
  return 0
}

async function ask({ name }: Opened, records: readonly SessionRecord[], yes: boolean, io: Io): Promise<boolean> {
  const rows = records.map(rowOf).sort(byUse)
  await printSessions(io.stderr, rows.slice(0, mostShown))
  const more = rows.length > mostShown ? ` (and ${rows.length - mostShown} more)` : ''
  return confirm(io, `This ends ${sessions(rows.length)}${more} in ${name}, and logs their users out.`, yes)
}
