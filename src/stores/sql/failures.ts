import { reasonOf } from '../../errors.js'

/**
 * An error of the database or its driver, without the data of sessions: Knex puts the whole statement with its values into the message, and
 * drivers add the values as properties, so that a log of errors would contain them.
 */
export class DatabaseError extends Error {
  override readonly name = 'DatabaseError'
  /** The code that the driver gave: `40001`, `ER_LOCK_DEADLOCK`, `SQLITE_BUSY`, `ECONNREFUSED`. */
  readonly code: string

  constructor(message: string, code: string) {
    super(message)
    this.code = code
  }
}

/** The codes of the errors that the store raises itself. */
export const noConnection = 'NO_CONNECTION'
export const noAnswer = 'NO_ANSWER'
export type LateCode = typeof noConnection | typeof noAnswer

/** Makes the error of a call whose time is over. */
export function lateError(code: LateCode): DatabaseError {
  return new DatabaseError(code === noConnection ? 'no connection to the database was free in time' : 'the database did not answer in time', code)
}

/** Converts an error that was thrown while a connection was being opened. Its message contains no statement. */
export function connectionError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error
  if (isKnexTimeout(error)) return lateError(noConnection)
  const code = codeOf(error)
  return new DatabaseError(reasonOf(error) || code, code || noConnection)
}

/** Converts the error of a statement: Knex puts the statement and ` - ` before the message of the driver. */
export function statementError(error: unknown): DatabaseError {
  if (error instanceof DatabaseError) return error
  if (isKnexTimeout(error)) return lateError(noAnswer)
  const code = codeOf(error)
  const reason = reasonOf(error)
  const end = reason.lastIndexOf(' - ')
  return new DatabaseError((end === -1 ? reason : reason.slice(end + 3)) || code, code)
}

/** Reports whether the database has rolled a statement back because of other transactions, so that it can be tried again. */
export function isTransient(error: unknown): boolean {
  return error instanceof DatabaseError && transient.test(error.code)
}

/** Reports whether the id of a new row is taken. */
export function isDuplicate(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return false
  return /^(23505|ER_DUP_ENTRY|SQLITE_CONSTRAINT_(PRIMARYKEY|UNIQUE))$/.test(error.code) || error.message.startsWith('SQLITE_CONSTRAINT: UNIQUE')
}

/** Reports whether the table does not exist. */
export function isMissingTable(error: unknown): boolean {
  if (!(error instanceof DatabaseError)) return false
  return error.code === '42P01' || error.code === 'ER_NO_SUCH_TABLE' || error.message.includes('no such table')
}

/** Reports whether another process was creating the same table or index: PostgreSQL's `if not exists` does not wait for it. */
export function isCreatedByOthers(error: unknown): boolean {
  return error instanceof DatabaseError && /^(23505|42P07|42710)$/.test(error.code)
}

/** Advice for an operator about an error, if there is some. */
export function adviceFor(error: unknown): string | undefined {
  if (!(error instanceof DatabaseError)) return undefined
  if (isMissingTable(error)) return 'create the table with createTable(), or by hand (docs/stores/sql.md)'
  return advice.find(([codes]) => codes.test(error.code))?.[1]
}

// Serialization failure, deadlock, lock not available, and the like.
const transient = /^(40001|40P01|55P03|ER_LOCK_DEADLOCK|ER_LOCK_WAIT_TIMEOUT|ER_CHECKREAD|SQLITE_BUSY.*|SQLITE_LOCKED.*)$/

const advice: readonly (readonly [codes: RegExp, advice: string])[] = [
  [new RegExp(`^${noConnection}$`), 'the pool is exhausted or the database does not answer: raise pool.max, keep transactions short, look at the database'],
  [new RegExp(`^(${noAnswer}|57014|ER_QUERY_INTERRUPTED|ER_STATEMENT_TIMEOUT)$`), 'a transaction may hold the row, or the database is stopped or overloaded'],
  [transient, 'keep transactions that use the table short'],
  [/^(ECONN.*|ENOTFOUND|EAI_AGAIN|EPIPE|ETIMEDOUT|EHOST.*|ENET.*|08...|57P0.|PROTOCOL_.*|ER_SERVER_SHUTDOWN|ER_CONNECTION_KILLED)$/, 'this passes once the database is reachable again'],
  [/^(53300|ER_CON_COUNT_ERROR|ER_TOO_MANY_USER_CONNECTIONS|ER_USER_LIMIT_REACHED)$/, 'raise max_connections of the database, or lower pool.max of its clients'],
  [/^(53100|ER_DISK_FULL|ER_RECORD_FILE_FULL|SQLITE_FULL|ENOSPC)$/, 'free space for the database'],
  [/^(25006|ER_OPTION_PREVENTS_STATEMENT|ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION|SQLITE_READONLY.*)$/, 'the database accepts no writes here: connect to the primary, or make the file writable'],
  [/^(28...|3D000|ER_ACCESS_DENIED_ERROR|ER_DBACCESS_DENIED_ERROR|ER_BAD_DB_ERROR)$/, 'check the user, the password and the name of the database'],
  [/^(42501|ER_TABLEACCESS_DENIED_ERROR)$/, 'grant select, insert, update and delete on the table'],
  [/^(22P05|ER_TRUNCATED_WRONG_VALUE_FOR_FIELD)$/, 'the database must use UTF-8, and the column record utf8mb4'],
  [/^(22001|ER_DATA_TOO_LONG)$/, 'a column is too small: create the table as in docs/stores/sql.md'],
  [/^(ER_NET_PACKET_TOO_LARGE)$/, 'raise max_allowed_packet to over twice maxBytes'],
  [/^(3F000)$/, 'create the schema'],
  [/^SQLITE_CANTOPEN/, 'create the directory and make it writable']
]

function isKnexTimeout(error: unknown): boolean {
  return error instanceof Error && error.name === 'KnexTimeoutError'
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}
