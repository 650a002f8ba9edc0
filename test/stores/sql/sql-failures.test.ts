import test, { type ExecutionContext } from 'ava'
import type { Knex } from 'knex'
import type { SessionRecord, SessionStore } from '../../../src/store/index.js'
import { createTable, openSql, sqlStore } from '../../../src/stores/sql/index.js'
import { until } from '../../support/redis.js'
import { newRecord } from '../../support/new-record.js'
import { mysqlConnection, needsEngine, onEachConnection, patience, servers, type Database, type Engine } from '../../support/sql.js'

/** How long a store here waits, in milliseconds. */
const timeout = 1000

const fewConnections = {
  PostgreSQL: ['max_connections=15', 'superuser_reserved_connections=0', 'max_wal_senders=0'],
  MariaDB: ['--max-connections=15'],
  SQLite: []
}

const strictest = {
  PostgreSQL: "set default_transaction_isolation = 'serializable'",
  MariaDB: 'set session transaction isolation level serializable',
  SQLite: ''
}

for (const engine of servers) {
  const engineTest = needsEngine(test, engine)
  const title = (guarantee: string) => `${engine.name}: ${guarantee}`
  let database: Database
  let tables = 0
  engineTest.before(async () => {
    database = await engine.start(...fewConnections[engine.name])
  })
  engineTest.after.always(async () => {
    await database?.stop()
  })

  /** A table with one session, and a store that gives up soon. */
  const prepare = async (t: ExecutionContext, config: Knex.Config = {}) => {
    const table = `table_${tables++}`
    const knex = database.connect(config)
    t.teardown(async () => knex.destroy())
    await createTable({ knex, table })
    // A machine that is slow is no failure, except where a test says so.
    const patient = sqlStore({ knex, table, timeout: patience })
    const record = newRecord({ count: 0 })
    await patient.create(record.id, record)
    return { knex, table, record, patient, store: sqlStore({ knex, table, timeout }) }
  }

  engineTest.serial(title('while the server is stopped every call fails in time, and each works again afterwards'), async (t) => {
    const { store, record, patient, table } = await prepare(t)
    const byUrl = openSql(new URL(database.url), { table, timeout })
    t.teardown(async () => byUrl.close?.())
    await until('the other store has connected', async () => (await byUrl.read(record.id)) !== undefined)
    await database.server!.pause()
    try {
      for (let round = 0; round < 3; round++) {
        await Promise.all([store, byUrl].map(async (each) => isRefused(t, each, record.id, /did not answer in time|no connection .* in time/)))
      }
    } finally {
      database.server!.resume()
    }
    await Promise.all([store, byUrl].map(async (each) => worksAgain(each, record.id)))
    t.deepEqual(await patient.read(record.id), record)
    t.is((await patient.update(record.id, count))?.rev, 2)
  })

  engineTest.serial(title('close() comes to an end while the server is stopped'), async (t) => {
    const { table, record } = await prepare(t)
    const byUrl = openSql(new URL(database.url), { table, timeout })
    await until('the store has connected', async () => (await byUrl.read(record.id)) !== undefined)
    await database.server!.pause()
    const from = performance.now()
    try {
      const calls = Array.from({ length: 20 }, async () => t.throwsAsync(async () => byUrl.read(record.id), { code: 'ERR_SESSION_STORE' }))
      await byUrl.close!()
      await Promise.all(calls)
    } finally {
      database.server!.resume()
    }
    t.true(performance.now() - from < 45_000, `it took ${performance.now() - from} ms`)
  })

  engineTest.serial(title('when the server is killed in the midst of writes, each is answered, and every acknowledged one is there afterwards'), async (t) => {
    const { patient, store } = await prepare(t)
    const records = Array.from({ length: 8 }, () => newRecord({ count: 0 }))
    for (const record of records) await patient.create(record.id, record)
    let acknowledged = 0
    let refused = 0
    let killed: Promise<void> | undefined
    const counts = await Promise.all(
      records.map(async ({ id }) => {
        let own = 0
        for (let at = 0; at < 60; at++) {
          try {
            await store.update(id, count)
            own++
            if (++acknowledged > 100) killed ??= database.server!.kill()
          } catch (error) {
            refused++
            t.like(error, { code: 'ERR_SESSION_STORE', status: 503 })
          }
        }
        return own
      })
    )
    await killed
    t.true(acknowledged > 100 && refused > 0)
    await database.server!.start()
    for (const [at, { id }] of records.entries()) {
      await worksAgain(patient, id)
      // One whose answer was lost may have been written.
      const stored = Number((await patient.read(id))?.data['count'])
      t.true(stored >= counts[at]! && stored <= 60, `${stored} instead of ${counts[at]}`)
    }
  })

  engineTest.serial(title('a connection that the server closes costs at most the call that uses it'), async (t) => {
    const { patient, record } = await prepare(t)
    const admin = database.connect({ pool: { max: 1 } })
    for (let round = 0; round < 5; round++) {
      await killConnections(engine, admin)
      await worksAgain(patient, record.id)
    }
    t.is((await patient.update(record.id, count))?.rev, 2)
  })

  engineTest.serial(title('when the server has no free connection, the error says so, and the store works once there is one'), async (t) => {
    const { knex, table, record, patient } = await prepare(t)
    await knex.destroy()
    const greedy = database.connect({ pool: { max: 100 } })
    const taken: unknown[] = []
    await t.throwsAsync(async () => {
      for (;;) taken.push(await greedy.client.acquireConnection())
    })
    knex.initialize()
    const store = sqlStore({ knex, table, timeout: patience })
    await t.throwsAsync(async () => store.read(record.id), { code: 'ERR_SESSION_STORE', message: /raise max_connections/ })
    await Promise.all(taken.map(async (connection) => greedy.client.releaseConnection(connection)))
    await greedy.destroy()
    await worksAgain(patient, record.id)
    t.deepEqual(await patient.read(record.id), record)
  })

  engineTest.serial(title('when the pool is exhausted, the error says so, and a call that has failed does nothing later'), async (t) => {
    const { knex, store, patient, record } = await prepare(t, { pool: { max: 1 } })
    const other = newRecord()
    const held: unknown = await knex.client.acquireConnection()
    await isRefused(t, store, record.id, /pool is exhausted/)
    await t.throwsAsync(async () => store.create(other.id, other), { code: 'ERR_SESSION_STORE' })
    await knex.client.releaseConnection(held)
    t.deepEqual(await patient.read(record.id), record)
    t.is(await patient.read(other.id), undefined)
  })

  engineTest.serial(title('while a transaction holds the row, saves fail in time and reads go on; nothing that has failed is written later'), async (t) => {
    const { knex, table, patient, record } = await prepare(t)
    const store = sqlStore({ knex, table, timeout: 3_000 })
    await knex.transaction(async (transaction) => {
      await transaction(table).where({ id: `session:${record.id}` }).forUpdate()
      const expected = { code: 'ERR_SESSION_STORE', message: /did not answer in time: a transaction may hold the row/ }
      await t.throwsAsync(async () => store.update(record.id, count), expected)
      await t.throwsAsync(async () => store.destroy(record.id), expected)
      t.deepEqual(await patient.read(record.id), record)
    })
    t.deepEqual(await patient.read(record.id), record)
    t.is((await patient.update(record.id, count))?.rev, 2)
  })

  engineTest.serial(title('serialization failures and deadlocks are tried again: parallel counting is exact at the strictest isolation'), async (t) => {
    const { knex, table, record } = await prepare(t, { pool: onEachConnection(strictest[engine.name]) })
    const stores = Array.from({ length: 6 }, () => sqlStore({ knex, table, timeout: patience }))
    await Promise.all(stores.flatMap((store) => Array.from({ length: 20 }, async () => store.update(record.id, count))))
    t.is((await stores[0]!.read(record.id))?.data['count'], 120)
  })

  engineTest.serial(title('a database that accepts no writes still serves readers, and the error says where to connect'), async (t) => {
    const { table, patient, record } = await prepare(t)
    if (engine.name === 'PostgreSQL') {
      const knex = database.connect({ pool: onEachConnection('set default_transaction_read_only = on') })
      await isReadOnly(t, sqlStore({ knex, table, timeout: patience }), record)
    } else {
      const admin = database.connect()
      // The superuser may write all the same.
      await admin.raw(`create user app@'127.0.0.1'`)
      await admin.raw(`grant select, insert, update, delete on mysql.${table} to app@'127.0.0.1'`)
      await admin.raw('set global read_only = 1')
      await isReadOnly(t, sqlStore({ knex: database.connect({ connection: mysqlConnection(database.url.replace('root@', 'app@')) }), table, timeout: patience }), record)
      await admin.raw('set global read_only = 0')
    }
    t.is((await patient.update(record.id, count))?.rev, 2)
  })
}

function count(record: SessionRecord): SessionRecord {
  return { ...record, data: { count: Number(record.data['count']) + 1 } }
}

/** Every call fails with the store's error, soon, and says why. */
async function isRefused(t: ExecutionContext, store: SessionStore, id: string, message: RegExp): Promise<void> {
  const calls = [() => store.read(id), () => store.update(id, count), () => store.destroy(id), () => store.prune!()]
  await Promise.all(
    calls.map(async (call) => {
      const from = performance.now()
      await t.throwsAsync(async () => call(), { code: 'ERR_SESSION_STORE', message })
      const took = performance.now() - from
      // Two calls for one session follow each other. A busy machine may be late.
      t.true(took < 2 * timeout + 20_000, `it took ${took} ms`)
    })
  )
}

async function isReadOnly(t: ExecutionContext, store: SessionStore, record: SessionRecord): Promise<void> {
  await t.throwsAsync(async () => store.update(record.id, count), { code: 'ERR_SESSION_STORE', message: /connect to the primary/ })
  t.deepEqual(await store.read(record.id), record)
}

async function worksAgain(store: SessionStore, id: string): Promise<void> {
  await until('the store works again', async () => (await store.read(id)) !== undefined)
}

async function killConnections({ name }: Engine, admin: Knex): Promise<void> {
  if (name === 'PostgreSQL') {
    await admin.raw("select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend'")
    return
  }
  const [rows] = (await admin.raw('select id from information_schema.processlist where id <> connection_id() and command = ?', ['Sleep'])) as [{ id: number }[]]
  // It may have ended meanwhile.
  for (const { id } of rows) await admin.raw(`kill ${id}`).catch(() => undefined)
}
