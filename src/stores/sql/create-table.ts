import { storeError } from '../../errors.js'
import { Database } from './database.js'
import type { Dialect } from './dialects.js'
import { adviceFor, isCreatedByOthers } from './failures.js'
import { resolveOptions, type SqlStoreOptions } from './options.js'

/** How long the creation may take, in milliseconds: it may have to wait for another process that creates the same table. */
const creationTimeout = 30_000

/** How often a statement is tried while other processes create the same table. */
const mostTries = 5

/**
 * Creates the table and its indexes where they are missing. You may call it at every start, also in several processes at once.
 *
 * It takes the options of `sqlStore()`. The user of the database needs the right to create tables.
 *
 * @throws SessionError `ERR_SESSION_STORE` when the database refuses.
 * @example
 * await createTable({ knex })
 */
export async function createTable(options: SqlStoreOptions): Promise<void> {
  const { knex, dialect, table, schema, timeout } = resolveOptions('createTable(options)', options)
  try {
    await createMissing(new Database(knex, dialect, timeout), table, schema)
  } catch (error) {
    throw storeError('create the table', error, adviceFor(error))
  }
}

export async function createMissing(database: Database, table: string, schema: string | undefined): Promise<void> {
  for (const statement of tableStatements(database.dialect, table, schema)) await createOne(database, statement)
}

async function createOne(database: Database, statement: string): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await database.run(statement, [], creationTimeout)
      return
    } catch (error) {
      if (!isCreatedByOthers(error) || tries === mostTries) throw error
    }
  }
}

/** The statements that create the table. The names were checked. docs/stores/sql.md prints them. */
function tableStatements({ name }: Dialect, table: string, schema: string | undefined): string[] {
  if (name === 'MySQL') return [mysqlTable(schema === undefined ? `\`${table}\`` : `\`${schema}\`.\`${table}\``)]
  const from = schema === undefined ? `"${table}"` : `"${schema}"."${table}"`
  return [
    name === 'PostgreSQL' ? postgresTable(from) : sqliteTable(from),
    `create index if not exists "${table}_expires" on ${from} ("expires")`,
    `create index if not exists "${table}_owner" on ${from} ("owner", "id")`
  ]
}

// Each of the following tables compares ids byte by byte, whatever the collation of the database is.

function postgresTable(table: string): string {
  return `create table if not exists ${table} (
  "id" varchar(255) collate "C" primary key,
  "rev" bigint not null,
  "write" varchar(255) not null,
  "expires" bigint not null,
  "owner" char(64),
  "record" text not null
)`
}

function sqliteTable(table: string): string {
  return `create table if not exists ${table} (
  "id" text primary key not null,
  "rev" integer not null,
  "write" text not null,
  "expires" integer not null,
  "owner" text,
  "record" text not null
)`
}

function mysqlTable(table: string): string {
  return `create table if not exists ${table} (
  \`id\` varchar(255) character set ascii collate ascii_bin primary key,
  \`rev\` bigint not null,
  \`write\` varchar(255) character set ascii collate ascii_bin not null,
  \`expires\` bigint not null,
  \`owner\` char(64) character set ascii collate ascii_bin,
  \`record\` longtext character set utf8mb4 collate utf8mb4_bin not null,
  index (\`expires\`),
  index (\`owner\`, \`id\`)
) engine = InnoDB`
}
