import type { Dialect } from './dialects.js'

/** How many rows one statement lists or removes at most, so that no statement takes long or holds many locks. */
export const pageSize = 100

/** The statements of one table. Each `?` is a parameter. */
export interface Statements {
  /** Parameters: id. */
  readonly get: string
  /** Parameters: id, rev, write, expires, owner, record. */
  readonly insert: string
  /** Parameters: rev, write, expires, owner and record to store, then id, rev and write as they were read. */
  readonly replace: string
  /** Parameters: id, rev and write as they were read. */
  readonly remove: string
  /** A page of rows in the order of their ids. Parameters: the last id of the page before, the end of the range, the length of an id. */
  readonly list: string
  /** The same for one owner, whose hash is the first parameter. */
  readonly listOwned: string
  /** The ids of a page of rows to remove. Parameters: the present time, the length of the prefix, the prefix, the length of an id. */
  readonly listExpired: string
  /** Removes that many of them. Parameters: the present time, and the ids. */
  removeExpired(count: number): string
}

/** Writes the statements. The names of table and schema were checked. */
export function statementsOf(dialect: Dialect, table: string, schema: string | undefined): Statements {
  const { recordIn, recordOut, afterWrite } = dialect
  const quoted = (name: string) => dialect.quote + name + dialect.quote
  const from = schema === undefined ? quoted(table) : `${quoted(schema)}.${quoted(table)}`
  const [id, rev, write, expires, owner, record] = ['id', 'rev', 'write', 'expires', 'owner', 'record'].map(quoted)

  const isSeen = `${id} = ? and ${rev} = ? and ${write} = ?`
  const inRange = `${id} > ? and ${id} < ? and length(${id}) = ?`
  const page = `order by ${id} limit ${pageSize}`
  return {
    get: `select ${recordOut} from ${from} where ${id} = ?`,
    insert: `insert into ${from} (${id}, ${rev}, ${write}, ${expires}, ${owner}, ${record}) values (?, ?, ?, ?, ?, ${recordIn})`,
    replace: `update ${from} set ${rev} = ?, ${write} = ?, ${expires} = ?, ${owner} = ?, ${record} = ${recordIn} where ${isSeen}${afterWrite}`,
    remove: `delete from ${from} where ${isSeen}${afterWrite}`,
    list: `select ${id}, ${recordOut} from ${from} where ${inRange} ${page}`,
    listOwned: `select ${id}, ${recordOut} from ${from} where ${owner} = ? and ${inRange} ${page}`,
    // Not a range of ids: SQLite would search that range, which is the whole table, instead of the index on `expires`.
    listExpired: `select ${id} from ${from} where ${expires} <= ? and substr(${id}, 1, ?) = ? and length(${id}) = ? order by ${expires} limit ${pageSize}`,
    removeExpired: (count) =>
      `delete from ${from} where ${expires} <= ? and ${id} in (${Array.from({ length: count }, () => '?').join(', ')})${afterWrite}`
  }
}
