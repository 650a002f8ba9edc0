import { inspect } from 'node:util'
import { decode, isSealed } from '../record/index.js'
import type { SessionRecord } from '../store/index.js'
import { findSessions } from './find-sessions.js'
import { CommandError, print, type Io } from './io.js'
import type { Opened } from './open-store.js'
import { rowOf } from './session-table.js'
import { printable, secondOf, sizeOf } from './text.js'

/** `show ID`: the facts about a session, and its data. */
export async function show(opened: Opened, id: string, { json }: { readonly json?: boolean }, io: Io): Promise<number> {
  const [{ record } = { record: undefined }] = await findSessions(opened, [id])
  if (!record) throw new CommandError(`there is no session ${id} in ${opened.name}: it has ended, or --store or --prefix names another place`)
  await print(io.stdout, json ? printable(JSON.stringify(record)) : textOf(record, io.stdout.isTTY ?? false))
  return 0
}

function textOf(record: SessionRecord, colors: boolean): string {
  const { id, owner, created, used, expires, permanent, lifetime, rev } = record
  const facts: [string, string][] = [
    ['id', id],
    ['owner', owner === undefined ? '- (nobody is logged in)' : printable(owner)],
    ['created', `${secondOf(created)} UTC`],
    ['used', `${secondOf(used)} UTC`],
    ['expires', `${secondOf(expires)} UTC`],
    ['permanent', permanent ? 'yes' : 'no, the cookie ends with the browser'],
    ['lifetime', lifetime === undefined ? 'as the application says' : `${lifetime} ms`],
    ['revision', String(rev)],
    ['size', sizeOf(rowOf(record).bytes)],
    ['data', dataOf(record, colors)]
  ]
  return facts.map(([name, value]) => `${`${name}:`.padEnd(11)} ${value}`).join('\n')
}

/** The data as Node shows values: the stored text would show a date as `{ $date: … }`. Only the session's user can open sealed data. */
function dataOf(record: SessionRecord, colors: boolean): string {
  if (isSealed(record)) return 'sealed'
  const data = Object.fromEntries(Object.entries(record.data).map(([key, json]) => [key, decode(json)]))
  const text = inspect(data, { depth: null, maxArrayLength: null, maxStringLength: null, breakLength: 78, colors })
  // Node escapes the other characters that control a terminal.
  return text.replace(/[\p{Cf}\p{Zl}\p{Zp}]/gu, printable)
}
