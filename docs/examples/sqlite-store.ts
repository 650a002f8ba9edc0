import Database from 'better-sqlite3'
import { createStore, graceAfterDeadline, type Backend, type Found, type SessionStore, type StoreScope } from 'koa-keepsake/store'

/** A stored record as a listing gives it. */
type Listed = Found & { readonly id: string }

/** How many records a listing reads at once. */
const pageSize = 100

/**
 * Keeps sessions in an SQLite file: for one machine, with any number of processes.
 *
 * SQLite lets one process write at a time, and better-sqlite3 waits without giving other requests a turn. So a process waits for the file
 * for at most a second.
 */
export function sqliteStore(file: string): SessionStore {
  const database = new Database(file, { timeout: 1000 })
  database.pragma('journal_mode = WAL')
  database.exec(`
    create table if not exists sessions (
      prefix text not null, id text not null, rev integer not null, "write" text not null, expires real not null, owner text,
      record text not null, primary key (prefix, id)
    ) without rowid;
    create index if not exists sessions_by_owner on sessions (prefix, owner, id) where owner is not null;
    create index if not exists sessions_by_deadline on sessions (prefix, expires)`)
  return createStore({
    name: 'sqlite',
    backend: (scope) => createBackend(database, scope),
    pruneEvery: 15 * 60_000,
    advice: (error) => (error instanceof Database.SqliteError ? adviceFor[error.code] : undefined),
    close: async () => void database.close()
  })
}

const adviceFor: { readonly [code: string]: string } = {
  SQLITE_BUSY: 'another process holds the file for long: look for a long transaction',
  SQLITE_FULL: 'make room on the disk',
  SQLITE_READONLY: 'let this process write to the file and its directory'
}

function createBackend(database: Database.Database, { prefix, now }: StoreScope): Backend {
  const select = database.prepare<[string, string], { text: string }>('select record as text from sessions where prefix = ? and id = ?')
  const insert = database.prepare('insert into sessions (rev, "write", expires, owner, record, prefix, id) values (?, ?, ?, ?, ?, ?, ?) on conflict do nothing')
  const same = 'prefix = ? and id = ? and rev = ? and "write" = ?'
  const update = database.prepare(`update sessions set rev = ?, "write" = ?, expires = ?, owner = ?, record = ? where ${same}`)
  const remove = database.prepare(`delete from sessions where ${same}`)
  const prune = database.prepare('delete from sessions where prefix = ? and expires <= ?')
  const page = 'prefix = @prefix and id > @last order by id limit @pageSize'
  const all = database.prepare<[object], Listed>(`select id, record as text from sessions where ${page}`)
  const owned = database.prepare<[object], Listed>(`select id, record as text from sessions where owner = @owner and ${page}`)

  /** Reads pages, because a connection that gives out rows one by one cannot write meanwhile. */
  async function* list(statement: typeof all, owner?: string): AsyncGenerator<Listed> {
    for (let last = ''; ; ) {
      const rows = statement.all({ prefix, last, pageSize, owner })
      yield* rows
      if (rows.length < pageSize) return
      last = rows.at(-1)!.id
    }
  }

  return {
    sendsOnce: true,
    get: async (id) => select.get(prefix, id),
    insert: async (id, { record: { rev, write, expires, owner = null }, text }) => insert.run(rev, write, expires, owner, text, prefix, id).changes === 1,
    async replace(id, from, { record: { rev, write, expires, owner = null }, text }) {
      const { changes } = update.run(rev, write, expires, owner, text, prefix, id, from.record.rev, from.record.write)
      return changes === 1 ? 'done' : 'changed'
    },
    async remove(id, from) {
      return remove.run(prefix, id, from.record.rev, from.record.write).changes === 1 ? 'done' : 'changed'
    },
    list: () => list(all),
    ownedBy: (owner) => list(owned, owner),
    prune: async () => prune.run(prefix, now() - graceAfterDeadline).changes
  }
}
