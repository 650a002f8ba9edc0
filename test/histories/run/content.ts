import { hash } from 'node:crypto'
import { createMark, type SessionRecord } from '../../../src/store/index.js'
import type { Call, Seen } from '../model/history.js'

/*
 * What the records of a history hold: the name of the session, the ids of all operations that committed to it, their number, and a text that
 * follows from the last of them. So a record says by itself whether it is whole.
 */

/** The longest text, in characters: enough for more than one write, page or packet. */
const longestText = 6000

export function idOf(name: string): string {
  return hash('sha256', name)
}

/** A new record. @param now milliseconds since the epoch. */
export function createdRecord({ id, session = '', expires = Infinity, owner }: Call, now: number): SessionRecord {
  const data = { name: session, operations: [id], count: 1, text: textOf(id) }
  return { rev: 1, write: createMark(), id: idOf(session), created: now, used: now, expires, permanent: false, ...(owner !== undefined && { owner }), data }
}

/** The record after a commit. */
export function committedRecord(current: SessionRecord, { id, kind, owner, expires }: Call): SessionRecord {
  const { owner: former, ...rest } = current
  const isMarker = kind === 'move' || current.moved
  const next = owner ?? former
  const data = { ...current.data, operations: [...operationsOf(current), id], count: Number(current.data['count']) + 1, text: textOf(id) }
  return { ...rest, ...(expires !== undefined && { expires }), ...(isMarker ? { moved: true } : next !== undefined && { owner: next }), data }
}

export function seenOf(record: SessionRecord): Seen {
  const { rev, write, expires, owner, moved } = record
  const flaw = flawIn(record)
  const seen = { rev, write, operations: operationsOf(record).join(' '), expires, ...(owner !== undefined && { owner }), ...(moved && { moved }) }
  return flaw === undefined ? seen : { ...seen, flaw }
}

export function nameOf({ data, id }: SessionRecord): string {
  return typeof data['name'] === 'string' ? data['name'] : id
}

/** Why a record is not whole, or not one of a history. */
function flawIn(record: SessionRecord): string | undefined {
  const operations = operationsOf(record)
  const { count, text } = record.data
  if (record.id !== idOf(nameOf(record))) return `it names the session ${nameOf(record)}, whose id is another`
  if (operations.length !== record.rev) return `revision ${record.rev} lists ${operations.length} operations`
  if (count !== record.rev) return `revision ${record.rev} counts ${JSON.stringify(count)} operations`
  if (text !== textOf(operations.at(-1)!)) return `its text is not the one of operation ${operations.at(-1)}`
  return undefined
}

function operationsOf({ data }: SessionRecord): string[] {
  return Array.isArray(data['operations']) ? data['operations'].map(String) : []
}

/** Most texts are short. */
function textOf(operation: string): string {
  const share = Number.parseInt(hash('sha256', operation).slice(0, 4), 16) / 2 ** 16
  return `${operation} `.repeat(Math.ceil((longestText * share ** 3) / (operation.length + 1)))
}
