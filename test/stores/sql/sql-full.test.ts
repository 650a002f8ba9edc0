import { randomBytes } from 'node:crypto'
import test from 'ava'
import type { Knex } from 'knex'
import type { SessionRecord } from '../../../src/store/index.js'
import { createTable, sqlStore } from '../../../src/stores/sql/index.js'
import { until } from '../../support/redis.js'
import { setting } from '../../support/recipes.js'
import { newRecord } from '../../support/new-record.js'
import { engines, needsEngine, patience, type Database, type Engine } from '../../support/sql.js'

/** How a database gets full, and how somebody makes room. */
interface Fullness {
  readonly options: readonly string[]
  readonly config: Knex.Config
  readonly fill: (database: Database, knex: Knex) => unknown
  readonly makeRoom: (database: Database, knex: Knex) => unknown
  readonly reason: RegExp
  /** How many bytes the value of a session has. */
  readonly size: number
}

const most = 24 * 1024 * 1024

const fullness: { readonly [Name in Engine['name']]: Fullness } = {
  PostgreSQL: {
    options: [],
    config: {},
    // Its log has files of 16 MiB, which must not reach the limit: that would end the server.
    fill: ({ server }) => server!.limitFiles(most),
    makeRoom: ({ server }) => server!.limitFiles(),
    reason: /could not extend file .*: File too large/,
    size: 200_000
  },
  MariaDB: {
    // The limit of its own is for one file of all tables. MariaDB 10.11 crashes when a long value, which it stores beside the row, finds no room.
    options: ['--innodb-file-per-table=0', '--innodb-data-file-path=ibdata1:12M:autoextend:max:24M', '--innodb-undo-tablespaces=2'],
    config: {},
    fill: () => undefined,
    makeRoom: async (_, knex) => knex('full').limit(1000).delete(),
    reason: /is full.*: free space for the database/,
    size: 3000
  },
  SQLite: {
    options: [],
    // The limit is the connection's.
    config: { pool: { min: 1, max: 1 } },
    fill: async (_, knex) => knex.raw('pragma max_page_count = 1000'),
    makeRoom: async (_, knex) => knex.raw('pragma max_page_count = 1000000'),
    reason: /database or disk is full: free space for the database/,
    size: 200_000
  }
}

for (const engine of engines) {
  const { options, config, fill, makeRoom, reason, size } = fullness[engine.name]
  needsEngine(test, engine).serial(`a full ${engine.name} refuses saves with advice and keeps every session whole, people can log out, and saves work again once there is room`, async (t) => {
    const database = await engine.start(...options)
    t.teardown(() => database.stop())
    const knex = database.connect(config)
    await createTable({ knex, table: 'full' })
    const store = sqlStore({ knex, table: 'full', timeout: patience }).scope!({ prefix: '', now: Date.now, largest: 10_000_000 })
    await fill(database, knex)
    const kept: SessionRecord[] = []
    let error: unknown
    while (error === undefined) {
      const record = newRecord({ text: textOf(size) })
      try {
        await store.create(record.id, record)
        kept.push(record)
      } catch (thrown) {
        error = thrown
      }
      if (kept.length > 20_000) break
    }
    t.like(error, { name: 'SessionError', code: 'ERR_SESSION_STORE', status: 503 })
    t.regex((error as Error).message, reason)
    const expected = new Map(kept.map((record) => [record.id, record]))
    let refused = 0
    for (const { id } of kept) {
      // A row may grow into room that is left where it is.
      if (refused === 5) break
      try {
        expected.set(id, (await store.update(id, setting('more', textOf(size / 3))))!)
      } catch (thrown) {
        t.like(thrown, { code: 'ERR_SESSION_STORE' })
        t.regex((thrown as Error).message, reason)
        refused++
      }
    }
    t.is(refused, 5)
    for (const [id, record] of expected) t.deepEqual(await store.read(id), record)
    const leaving = kept[0]!
    t.deepEqual(await store.destroy(leaving.id), expected.get(leaving.id))
    t.is(await store.read(leaving.id), undefined)
    await makeRoom(database, knex)
    const next = newRecord({ text: textOf(size) })
    // MariaDB frees the room of deleted rows in the background.
    await until('saves work again', async () => store.create(next.id, next))
    t.deepEqual(await store.read(next.id), next)
  })
}

/** Text that a database cannot compress. */
function textOf(bytes: number): string {
  return randomBytes(bytes).toString('base64')
}
