import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** The part of better-sqlite3's database that is used here. */
interface SqliteDatabase {
  pragma(text: string): unknown
  close(): void
}

/**
 * How long SQLite waits while another process writes, in milliseconds. It is short, because this wait blocks the process. The store tries
 * again after a pause.
 */
const busyTimeout = 5

/** Makes Knex' configuration for a URL such as `sqlite:var/sessions.db`. It creates the file and its directory if they are missing. */
export function sqliteConfig(where: string, { href, pathname }: URL): object {
  if (href.startsWith('sqlite://') || pathname === '') {
    // Three slashes would be ambiguous: a relative path in SQLAlchemy, and an absolute one in every other URL.
    throw new TypeError(`${where}: write a relative path as sqlite:var/sessions.db and an absolute one as sqlite:/var/lib/sessions.db, without //`)
  }
  const filename = decodeURIComponent(pathname)
  if (filename === ':memory:') throw new TypeError(`${where}: sqlite::memory: would forget its sessions when it is idle; use memory: instead`)
  createPrivately(filename)
  return {
    client: 'better-sqlite3',
    connection: { filename },
    useNullAsDefault: true,
    pool: {
      min: 0,
      max: 1,
      afterCreate(database: SqliteDatabase, done: (error: unknown, database: SqliteDatabase) => void) {
        try {
          prepare(database)
          done(null, database)
        } catch (error) {
          database.close()
          done(error, database)
        }
      }
    }
  }
}

/** Creates the file so that only its owner can read it. SQLite would let everybody read it. It gives its other files the same mode. */
function createPrivately(filename: string): void {
  mkdirSync(dirname(filename), { recursive: true, mode: 0o700 })
  closeSync(openSync(filename, 'a', 0o600))
}

/** Sets WAL mode, in which readers and a writer do not wait for each other, and an acknowledged commit survives the process. */
function prepare(database: SqliteDatabase): void {
  database.pragma(`busy_timeout = ${busyTimeout}`)
  database.pragma('journal_mode = wal')
  database.pragma('synchronous = normal')
}
