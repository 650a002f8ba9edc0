import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestFn } from 'ava'
import makeKnex, { type Knex } from 'knex'
import { hasMariaDb, hasPostgres, startMariaDb, startPostgres, type SqlServer } from './sql-servers.js'
import { needs } from './needs.js'

/** The `timeout` of stores in tests that do not measure time: it is long, because slowness on a busy machine is no failure. */
export const patience = 60_000

/** A database that the tests have started. */
export interface Database {
  /** For `storeFromUrl()`. */
  readonly url: string
  /** Absent: a file. */
  readonly server?: SqlServer
  /** Another Knex instance, which is destroyed with the database. */
  connect(config?: Knex.Config): Knex
  stop(): Promise<void>
}

export interface Engine {
  readonly name: 'PostgreSQL' | 'MariaDB' | 'SQLite'
  readonly isInstalled: boolean
  /** Says what to install if it is missing. */
  readonly package: string
  /** @param options of the server: `max_connections=5` or `--max-connections=5`. */
  start(...options: string[]): Promise<Database>
}

const postgres: Engine = {
  name: 'PostgreSQL',
  isInstalled: hasPostgres,
  package: 'postgresql',
  start: async (...options) => onServer(await startPostgres(...options), (url) => ({ client: 'pg', connection: url }))
}

const mariaDb: Engine = {
  name: 'MariaDB',
  isInstalled: hasMariaDb,
  package: 'mariadb-server',
  start: async (...options) => onServer(await startMariaDb(...options), (url) => ({ client: 'mysql2', connection: mysqlConnection(url) }))
}

const sqlite: Engine = {
  name: 'SQLite',
  isInstalled: true,
  package: '',
  async start() {
    const dir = await mkdtemp(join(tmpdir(), 'keepsake-sqlite-'))
    const filename = join(dir, 'sessions.db')
    const { connect, destroyAll } = connections({ client: 'better-sqlite3', connection: { filename }, useNullAsDefault: true, pool: { afterCreate: useWal } })
    return {
      url: `sqlite:${filename}`,
      connect,
      async stop() {
        await destroyAll()
        await rm(dir, { recursive: true, force: true })
      }
    }
  }
}

export const servers: readonly Engine[] = [postgres, mariaDb]
export const engines: readonly Engine[] = [...servers, sqlite]

/** AVA's `test`, or one that skips everything where the server is missing (needs.ts). */
export function needsEngine(test: TestFn, { name, isInstalled, package: missing }: Engine): TestFn {
  return needs(test, isInstalled, name, `${name} is missing: apt-get install ${missing}`)
}

/** mysql2 gives up on a connection after ten seconds by itself, which a busy machine may need. */
export function mysqlConnection(uri: string): Knex.MySql2ConnectionConfig {
  return { uri, connectTimeout: patience }
}

/** Everything that an async iteration gives. */
export async function collect<T>(iteration: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const each of iteration) all.push(each)
  return all
}

/** The database's plan for a statement, as text. It names the index that is used. */
export async function planOf(knex: Knex, sql: string, bindings: readonly (string | number)[]): Promise<string> {
  const isSqlite = (knex.client as { dialect: string }).dialect === 'sqlite3'
  const explain = knex.raw(`explain ${isSqlite ? 'query plan ' : ''}${sql}`, bindings)
  if ((knex.client as { dialect: string }).dialect !== 'postgresql') return JSON.stringify(await explain)
  // A small table is read as a whole otherwise.
  return knex.transaction(async (transaction) => {
    await transaction.raw('set local enable_seqscan = off')
    return JSON.stringify(await explain.transacting(transaction))
  })
}

/** Connections of pg and mysql2. */
interface Connection {
  query(sql: string, done: (error: unknown) => void): void
}

/** Settings of a pool that run a statement on each new connection. */
export function onEachConnection(sql: string): Knex.PoolConfig {
  return {
    afterCreate(connection: Connection, done: (error: unknown, connection: Connection) => void) {
      connection.query(sql, (error) => done(error, connection))
    }
  }
}

/** Keeps Knex from printing errors, of which there are many here. */
const silent = { warn() {}, error() {}, deprecate() {}, debug() {} }

function onServer(server: SqlServer, configOf: (url: string) => Knex.Config): Database {
  const { connect, destroyAll } = connections(configOf(server.url))
  return {
    url: server.url,
    server,
    connect,
    async stop() {
      server.resume()
      await destroyAll()
      await server.stop()
    }
  }
}

function connections(base: Knex.Config): { connect: Database['connect']; destroyAll: () => Promise<void> } {
  const made: Knex[] = []
  return {
    connect(config = {}) {
      const knex = makeKnex({ log: silent, acquireConnectionTimeout: patience, ...base, ...config, pool: { min: 0, max: 10, ...base.pool, ...config.pool } })
      made.push(knex)
      return knex
    },
    async destroyAll() {
      await Promise.all(made.map((knex) => knex.destroy()))
    }
  }
}

/** As docs/stores/sql.md says. */
function useWal(database: { pragma(text: string): unknown }, done: (error: unknown, database: unknown) => void): void {
  database.pragma('busy_timeout = 5')
  database.pragma('journal_mode = wal')
  done(null, database)
}

