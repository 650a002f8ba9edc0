/** Sessions in a table of PostgreSQL, MySQL, MariaDB or SQLite. */
export { createTable } from './create-table.js'
export { openSql } from './open-sql.js'
export { sqlStore } from './sql-store.js'
export type { KnexInstance } from './knex.js'
export type { SqlStoreOptions, SqlUrlOptions } from './options.js'
