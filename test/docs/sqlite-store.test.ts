import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import test from 'ava'
import Database from 'better-sqlite3'
import { storeConformance } from 'koa-keepsake/testing'
import { sqliteStore } from '../../docs/examples/sqlite-store.js'

// The example of docs/writing-a-store.md. Its imports from koa-keepsake are the sources of this package (`paths` in tsconfig.json).

const dir = mkdtempSync(path.join(tmpdir(), 'keepsake-sqlite-'))
const file = path.join(dir, 'sessions.db')
const database = new Database(file)
test.after.always(() => {
  database.close()
  rmSync(dir, { recursive: true, force: true })
})

storeConformance(test, (scope) => {
  const store = sqliteStore(file)
  return {
    store: store.scope!(scope),
    put(id, text) {
      const { rev = 0, write = '', expires = 0 } = factsOf(text)
      database
        .prepare('insert or replace into sessions (prefix, id, rev, "write", expires, owner, record) values (?, ?, ?, ?, ?, null, ?)')
        .run(scope.prefix, id, rev, write, expires, text)
    },
    get: (id) => database.prepare<[string, string], { record: string }>('select record from sessions where prefix = ? and id = ?').get(scope.prefix, id)?.record
  }
})

/** What another program would write into the columns beside the text. */
function factsOf(text: string): { rev?: number; write?: string; expires?: number } {
  try {
    const { rev, write, expires } = JSON.parse(text) as { [name: string]: unknown }
    return {
      ...(typeof rev === 'number' && { rev }),
      ...(typeof write === 'string' && { write }),
      ...(typeof expires === 'number' && { expires })
    }
  } catch {
    return {}
  }
}
