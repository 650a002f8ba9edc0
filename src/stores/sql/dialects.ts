import type { Binding, KnexClient } from './knex.js'

/** A row as the store selects it. A column that a statement does not select is absent. */
export interface Row {
  readonly id: string
  readonly record: string
}

/** The differences between the databases, except for the statements that create the table. */
export interface Dialect {
  readonly name: 'PostgreSQL' | 'MySQL' | 'SQLite'
  /** The character around a name. */
  readonly quote: '"' | '`'
  /** The expression that stores the text of a record, and the one that reads it. */
  readonly recordIn: string
  readonly recordOut: string
  /** The end of a statement that writes. */
  readonly afterWrite: string
  /** Whether Knex can cancel a query that takes too long. */
  readonly cancels: boolean
  bind(text: string): Binding
  rows(result: unknown): Row[]
  /** Returns how many rows a statement has written. */
  written(result: unknown): number
}

interface PostgresResult {
  readonly rows: Row[]
  readonly rowCount: number
}

const postgres: Dialect = {
  name: 'PostgreSQL',
  quote: '"',
  recordIn: '?',
  recordOut: '"record"',
  afterWrite: '',
  cancels: true,
  bind: (text) => text,
  rows: (result) => (result as PostgresResult).rows,
  written: (result) => (result as PostgresResult).rowCount
}

/**
 * Records are sent and received as bytes. Drivers put parameters into the text of a statement: with the SQL mode NO_BACKSLASH_ESCAPES, a quote
 * in a session's data would end the text, and a connection that does not use utf8mb4 would lose characters.
 */
const mysql: Dialect = {
  name: 'MySQL',
  quote: '`',
  recordIn: 'convert(? using utf8mb4)',
  recordOut: 'cast(`record` as binary) as `record`',
  afterWrite: '',
  cancels: true,
  bind: (text) => Buffer.from(text),
  rows: (result) => (result as [{ id: string; record: Buffer | undefined }[]])[0].map(({ id, record }) => ({ id, record: String(record) })),
  written: (result) => (result as [{ affectedRows: number }])[0].affectedRows
}

const sqlite: Dialect = {
  name: 'SQLite',
  quote: '"',
  recordIn: '?',
  recordOut: '"record"',
  // Knex does not return the number of changes for every driver of SQLite.
  afterWrite: ' returning "id"',
  // A driver of SQLite runs a query at once or not at all.
  cancels: false,
  bind: (text) => text,
  rows: (result) => result as Row[],
  written: (result) => (result as Row[]).length
}

const dialects: { readonly [name: string]: Dialect } = { postgresql: postgres, mysql, sqlite3: sqlite }

/** The dialect of a Knex instance, if the store knows it. */
export function dialectOf({ dialect }: KnexClient): Dialect | undefined {
  return Object.hasOwn(dialects, dialect) ? dialects[dialect] : undefined
}
