import { createStore, type SessionStore } from '../../store/index.js'
import { SqlBackend } from './backend.js'
import { createMissing } from './create-table.js'
import { Database } from './database.js'
import { adviceFor } from './failures.js'
import { addressOf } from './knex.js'
import { resolveOptions, type SqlSettings, type SqlStoreOptions } from './options.js'
import { statementsOf } from './statements.js'

/**
 * Keeps sessions in a table of PostgreSQL, MySQL, MariaDB or SQLite, through Knex.
 *
 * The table must exist: see `createTable()`. Each call takes a connection of its own from the pool and never takes part in a transaction of
 * the application.
 *
 * @throws TypeError that names the option and what is expected.
 * @example
 * app.use(session({ store: sqlStore({ knex }) }))
 */
export function sqlStore(options: SqlStoreOptions): SessionStore {
  return storeOf(resolveOptions('sqlStore(options)', options))
}

/** A database that the store itself opened. */
interface Opened {
  /** Closes the connections. */
  close(): Promise<void>
}

/**
 * Makes a store with checked options.
 *
 * @param opened given if the store itself opened the database: then it also creates the table if it is missing.
 */
export function storeOf({ knex, dialect, table, schema, pruneEvery, timeout }: SqlSettings, opened?: Opened): SessionStore {
  const plain = new Database(knex, dialect, timeout)
  const database = opened ? new Database(knex, dialect, timeout, () => createMissing(plain, table, schema)) : plain
  const statements = statementsOf(dialect, table, schema)
  return createStore({
    name: 'SQL',
    backend: (scope, closing) => new SqlBackend(database, statements, scope, closing),
    pruneEvery,
    backendName: () => `${dialect.name} ${addressOf(knex)}`,
    whenSlow: 'look at long transactions and locks, at the pool (pool.max), and at the load of the database',
    advice: adviceFor,
    ...opened
  })
}
