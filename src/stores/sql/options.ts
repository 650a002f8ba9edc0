import { assertOptionNames, isCount, isPositive, kindOf, OptionChecks, quote } from '../../checks.js'
import { longestDelay } from '../../delays.js'
import { dialectOf, type Dialect } from './dialects.js'
import { isKnex, type KnexInstance } from './knex.js'

export interface SqlStoreOptions {
  /** A Knex instance for PostgreSQL, MySQL, MariaDB or SQLite. You close it yourself. */
  knex: KnexInstance
  /** The table: up to 48 letters, digits and underscores. @default 'sessions' */
  table?: string | undefined
  /** The schema of the table (MySQL: its database). Absent: where the connection looks first. SQLite has no schemas. */
  schema?: string | undefined
  /** How often expired sessions are removed, in milliseconds. `0`: only when you call `prune()`. @default 900_000 (15 minutes) */
  pruneEvery?: number | undefined
  /**
   * How long a call may wait for a connection and for the database, in milliseconds. Below the middleware's `storeTimeout`, the error
   * says what the call waited for. @default 1_500
   */
  timeout?: number | undefined
}

/** The options of `storeFromUrl()` for a database. */
export type SqlUrlOptions = Omit<SqlStoreOptions, 'knex'>

/** The options, checked and complete. */
export interface SqlSettings {
  readonly knex: KnexInstance
  readonly dialect: Dialect
  readonly table: string
  readonly schema: string | undefined
  readonly pruneEvery: number
  readonly timeout: number
}

const urlOptionNames = Object.keys({ table: 0, schema: 0, pruneEvery: 0, timeout: 0 } satisfies { [Name in keyof Required<SqlUrlOptions>]: 0 })

/** The default of the option `timeout`, in milliseconds. */
export const defaultTimeout = 1_500

/** Names become part of statements. They have at most 48 characters, because PostgreSQL cuts the names of the indexes after 63. */
const namePattern = /^[A-Za-z_][A-Za-z0-9_]{0,47}$/
const nameRule = 'up to 48 letters, digits and underscores, and not begin with a digit'

/** Refuses unknown options of `storeFromUrl()`, before anything is opened. */
export function assertUrlOptions(where: string, options: SqlUrlOptions): void {
  assertOptionNames(where, options, urlOptionNames)
}

/** @throws TypeError that names the option and what is expected. */
export function resolveOptions(where: string, options: SqlStoreOptions): SqlSettings {
  if (isKnex(options)) throw new TypeError(`${where}: expected an object of options, got a Knex instance: write sqlStore({ knex })`)
  const checks = new OptionChecks(where)
  checks.names(options, ['knex', ...urlOptionNames])
  const { knex, table = 'sessions', schema, pruneEvery = 900_000, timeout = defaultTimeout } = options
  checks.option('knex', knex, isKnex(knex), `what knex({ client: 'pg', … }) returned${adviceOn(knex)}`, kindOf)
  checkName(checks, 'table', table)
  if (schema !== undefined) checkName(checks, 'schema', schema)
  checks.option('pruneEvery', pruneEvery, isCount(pruneEvery) && pruneEvery <= longestDelay, `whole milliseconds up to ${longestDelay} (0 = never)`)
  checks.option('timeout', timeout, isPositive(timeout) && timeout <= longestDelay, `a number of milliseconds above 0, at most ${longestDelay}`)
  checks.throwIfAny()
  if (knex.isTransaction === true) {
    throw new TypeError(
      `${where}: knex must not be a transaction: its rollback would undo saves and logouts; pass the Knex instance itself`
    )
  }
  const dialect = dialectOf(knex.client)
  if (!dialect) throw new TypeError(`${where}: knex must connect to PostgreSQL, MySQL, MariaDB or SQLite, got ${knex.client.dialect}`)
  if (schema !== undefined && dialect.name === 'SQLite') throw new TypeError(`${where}: schema cannot be used with SQLite, which has none; leave it out`)
  return { knex, dialect, table, schema, pruneEvery, timeout }
}

function checkName(checks: OptionChecks, option: string, name: unknown): void {
  if (typeof name !== 'string' || !namePattern.test(name)) checks.add(`${option} must have ${nameRule}, got ${quote(name)}`)
}

function adviceOn(value: unknown): string {
  return typeof value === 'string' || value instanceof URL ? " (for a URL, use storeFromUrl('postgres://…'))" : ''
}
