import { type SessionRecord, writeRecord } from '../store/index.js'
import { print, type Output } from './io.js'
import { tableOf, type Column } from './table.js'
import { minuteOf, printable, shortId, sizeOf } from './text.js'

/** The facts about a session that a table shows. It keeps no data, because a store may have millions of sessions. */
export interface Row {
  readonly id: string
  readonly owner: string | undefined
  readonly created: number
  readonly used: number
  readonly expires: number
  readonly permanent: boolean
  /** The size of the stored text in bytes. */
  readonly bytes: number
}

type SizedColumn = Column<Row> & { readonly width: number }

const idLength = 64
/** The least width of the owner's column, in characters. */
const leastOwner = 8
const owner: Column<Row> = { title: 'OWNER', cell: (row) => printable(row.owner ?? '-') }
const used: SizedColumn = { title: 'USED (UTC)', width: 16, cell: (row) => minuteOf(row.used) }
const expires: SizedColumn = { title: 'EXPIRES (UTC)', width: 16, cell: (row) => minuteOf(row.expires) }
const size: SizedColumn = { title: 'SIZE', width: 10, isNumber: true, cell: (row) => sizeOf(row.bytes) }

/** In the order in which they are tried: the first that fits the terminal is used. */
const layouts: readonly (readonly SizedColumn[])[] = [
  [idOf(idLength), used, expires, size],
  [idOf(shortId), used, expires, size],
  [idOf(shortId), used, size],
  [idOf(shortId)]
]

export function rowOf(record: SessionRecord): Row {
  const { id, created, expires: end, permanent } = record
  return { id, owner: record.owner, created, used: record.used, expires: end, permanent, bytes: Buffer.byteLength(writeRecord(record)) }
}

/** Sorts rows: the most recently used session first. */
export function byUse(one: Row, other: Row): number {
  return other.used - one.used || (one.id < other.id ? -1 : 1)
}

/** Prints the rows as a table that fits the terminal. In a pipe nothing is cut. */
export async function printSessions(stream: Output, rows: readonly Row[]): Promise<void> {
  const width = stream.isTTY ? widthOfTerminal(stream) : undefined
  const layout = layouts.find((columns) => width === undefined || widthOf(columns) + leastOwner <= width) ?? layouts.at(-1)!
  const widths = layout.map((column) => column.width)
  for (const page of tableOf([...layout, owner], widths, rows, width)) if (!(await print(stream, page))) return
}

/** Some terminals do not say how wide they are. */
function widthOfTerminal({ columns = 0 }: Output): number {
  return columns > 0 ? columns : 80
}

function widthOf(columns: readonly SizedColumn[]): number {
  return columns.reduce((sum, { width }) => sum + width + 2, 0)
}

function idOf(width: number): SizedColumn {
  return { title: 'ID', width, cell: ({ id }) => id.slice(0, width) }
}
