import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname } from 'node:path'

/** The part of better-sqlite3's database that is used here. */
interface SqliteDatabase {
  pragma(text: string): unknown
  close(): void
}

/**
 * How long SQLite waits for another process that writes, in milliseconds. It blocks this process meanwhile, so it is short. The store tries
 * again after a pause.
 */
const busyTimeout = 5

/** Knex' configuration for the file of a URL such as `sqlite:var/sessions.db`. The file and its directory are created when missing. */
export function sqliteConfig(where: string, { href, pathname }: URL): object {
  if (href.startsWith('sqlite://') || pathname === '') {
    // Three slashes are a relative path for SQLAlchemy, and an absolute one in every other URL.
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

/** SQLite would let everybody read the file. It gives the files beside it the same mode. */
function createPrivately(filename: string): void {
  mkdirSync(dirname(filename), { recursive: true, mode: 0o700 })
  closeSync(openSync(filename, 'a', 0o600))
}

/** Readers and a writer do not wait for each other in WAL mode, and a commit that was acknowledged survives the process. */
function prepare(database: SqliteDatabase): void {
  database.pragma(`busy_timeout = ${busyTimeout}`)
  database.pragma('journal_mode = wal')
  database.pragma('synchronous = normal')
}
