import test from 'ava'
import type { Knex } from 'knex'
import { createTable, openSql, sqlStore } from '../../../src/stores/sql/index.js'
import { storeConformance } from '../../../src/testing/conformance.js'
import { engines, needsEngine, patience, type Database } from '../../support/sql.js'

for (const engine of engines) {
  const engineTest = needsEngine(test, engine)
  let database: Database
  let knex: Knex

  engineTest.before(async () => {
    database = await engine.start()
    knex = database.connect()
    await createTable({ knex })
  })
  engineTest.after.always(async () => {
    await database?.stop()
  })

  storeConformance(
    (title, run) => engineTest(`${engine.name}: ${title}`, run),
    (scope) => ({
      store: sqlStore({ knex, timeout: patience }).scope!(scope),
      async put(id, text) {
        const { rev = 1, write = 'by hand' } = versionIn(text)
        const row = { id: scope.prefix + id, rev, write, expires: scope.now() + 3_600_000, record: text }
        await knex('sessions').insert(row).onConflict('id').merge()
      },
      async get(id) {
        const row = await knex('sessions').where({ id: scope.prefix + id }).first<{ record: string } | undefined>('record')
        return row?.record
      }
    }),
    { parallel: 100 }
  )

  // A server would run out of connections: each store that is opened by URL has a pool of its own.
  if (engine.name !== 'SQLite') continue
  storeConformance(
    (title, run) => engineTest(`${engine.name}, by URL: ${title}`, run),
    (scope) => openSql(new URL(database.url), { table: 'by_url', timeout: patience }).scope!(scope)
  )
}

/** The version that a text names, for the columns beside it. */
function versionIn(text: string): { rev?: number; write?: string } {
  const rev = /^\{"rev":(\d+),/.exec(text)?.[1]
  const write = /"write":"([^"]+)"/.exec(text)?.[1]
  return { ...(rev && { rev: Number(rev) }), ...(write && { write }) }
}
