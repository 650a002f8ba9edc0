import { inspect } from 'node:util'
import test from 'ava'
import { openSql } from '../../../src/stores/sql/index.js'
import { freePort, until } from '../../support/redis.js'
import { newRecord } from '../../support/new-record.js'
import { collect, engines, needsEngine, patience, type Database } from '../../support/sql.js'

for (const engine of engines) {
  const engineTest = needsEngine(test, engine)
  const title = (guarantee: string) => `${engine.name} by URL: ${guarantee}`
  let database: Database
  engineTest.before(async () => {
    database = await engine.start()
  })
  engineTest.after.always(async () => {
    await database?.stop()
  })

  engineTest.serial(title('the store creates its table, also when many stores start at once, and another store finds the sessions'), async (t) => {
    const stores = Array.from({ length: 6 }, () => openSql(new URL(database.url), { timeout: patience }))
    const records = stores.map((_, at) => newRecord({ at }, { owner: 'momo' }))
    await Promise.all(stores.map(async (store, at) => store.create(records[at]!.id, records[at]!)))
    await Promise.all(stores.map(async (store) => store.close?.()))
    const store = openSql(new URL(database.url), { timeout: patience })
    t.is((await collect(store.ownedBy!('momo'))).length, 6)
    for (const record of records) t.deepEqual(await store.read(record.id), record)
    await store.close!()
    await t.throwsAsync(async () => store.read(records[0]!.id), { code: 'ERR_SESSION_STORE', message: /closed/ })
  })

  engineTest.serial(title('close() leaves no connection open'), async (t) => {
    const knex = database.connect({ pool: { max: 1 } })
    const others = async (): Promise<number> => {
      if (engine.name === 'PostgreSQL') return (await knex('pg_stat_activity').where('backend_type', 'client backend')).length - 1
      if (engine.name === 'MariaDB') return (await knex('information_schema.processlist').where('command', 'Sleep')).length
      return 0
    }
    await until('the connections of other tests are gone', async () => (await others()) === 0)
    const store = openSql(new URL(database.url), { timeout: patience })
    await Promise.all(Array.from({ length: 20 }, async () => store.read(newRecord().id)))
    if (engine.name !== 'SQLite') t.true((await others()) > 0)
    await store.close!()
    await until('the connections are closed', async () => (await others()) === 0)
    t.pass()
  })

  engineTest.serial(title('the options of the store are taken, and no others'), async (t) => {
    const store = openSql(new URL(database.url), { table: 'own_table', timeout: patience })
    const record = newRecord()
    await store.create(record.id, record)
    const knex = database.connect()
    t.is((await knex('own_table')).length, 1)
    await store.close!()
    t.throws(() => openSql(new URL(database.url), { table: 'own table' }), { instanceOf: TypeError, message: /storeFromUrl\(url, options\): table must have/ })
    const unknown = { tabel: 'x' } as object
    t.throws(() => openSql(new URL(database.url), unknown), { instanceOf: TypeError, message: /unknown option "tabel".*; known are table, schema, pruneEvery, timeout$/ })
  })
}

for (const [protocol, driver] of [['postgres:', 'PostgreSQL'], ['postgresql:', 'PostgreSQL'], ['mysql:', 'MySQL'], ['mariadb:', 'MySQL']]) {
  test(`${protocol} without a server fails with ERR_SESSION_STORE, and shows no password`, async (t) => {
    const store = openSql(new URL(`${protocol}//user:hidden-password@127.0.0.1:${await freePort()}/app`), { timeout: patience })
    const error = await t.throwsAsync(async () => store.read(newRecord().id), { code: 'ERR_SESSION_STORE', message: /ECONNREFUSED.*: this passes once the database is reachable again/ })
    t.false(inspect(error, { depth: 10 }).includes('hidden-password'), driver)
    await store.close!()
  })
}

test('a URL of another kind is refused', (t) => {
  t.throws(() => openSql(new URL('oracle://localhost/x')), { instanceOf: TypeError, message: /url must begin with postgres:, postgresql:, mysql:, mariadb: or sqlite:, got oracle:/ })
})
