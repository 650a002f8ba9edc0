import { print, type Io } from './io.js'
import { listingOf, type Opened } from './open-store.js'
import { byUse, printSessions, rowOf, type Row } from './session-table.js'
import { printable, sessions, sizeOf } from './text.js'

export interface ListOptions {
  readonly owner?: string
  readonly json?: boolean
}

/** `list`: the live sessions, the most recently used first. */
export async function list(opened: Opened, { owner, json }: ListOptions, io: Io): Promise<number> {
  const rows: Row[] = []
  for await (const record of listingOf(opened, owner)) rows.push(rowOf(record))
  rows.sort(byUse)
  if (json) {
    for (const row of rows) if (!(await print(io.stdout, jsonOf(row)))) break
    return 0
  }
  if (rows.length > 0) await printSessions(io.stdout, rows)
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0)
  await print(io.stderr, rows.length === 0 ? `${opened.name} has no sessions.` : `${sessions(rows.length)}, ${sizeOf(bytes)}`)
  return 0
}

/** One session as a line of JSON. */
function jsonOf({ id, owner, created, used, expires, permanent, bytes }: Row): string {
  const [createdAt, usedAt, expiresAt] = [created, used, expires].map((time) => new Date(time).toISOString())
  return printable(JSON.stringify({ id, owner, createdAt, usedAt, expiresAt, permanent, bytes }))
}
