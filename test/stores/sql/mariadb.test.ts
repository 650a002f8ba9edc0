import test from 'ava'
import type { SessionRecord } from '../../../src/store/index.js'
import { createTable, sqlStore } from '../../../src/stores/sql/index.js'
import { until } from '../../support/redis.js'
import { newRecord } from '../../support/new-record.js'
import { collect, mysqlConnection, needsEngine, onEachConnection, patience, servers, type Database } from '../../support/sql.js'

const engine = servers.find(({ name }) => name === 'MariaDB')!
const engineTest = needsEngine(test, engine)
let database: Database

engineTest.before(async () => {
  database = await engine.start()
})
engineTest.after.always(async () => {
  await database?.stop()
})

const settings = ["set sql_mode = 'NO_BACKSLASH_ESCAPES'", "set sql_mode = ''", 'set names latin1', 'set names utf8mb3 collate utf8mb3_general_ci', "set sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES'", 'set session transaction isolation level serializable']

for (const [at, sql] of settings.entries()) {
  engineTest(`MariaDB: data comes back as it was on a connection with ${sql}`, async (t) => {
    const knex = database.connect({ pool: onEachConnection(sql) })
    const table = `settings_${at}`
    await createTable({ knex, table })
    const store = sqlStore({ knex, table, timeout: patience })
    for (const text of ["O'Brien", `'); drop table ${table}; -- `, "\\' or 1=1", 'é漢🙂', '\0', '"'.repeat(1000)]) {
      const record = newRecord({ text }, { owner: text.slice(0, 100) })
      t.true(await store.create(record.id, record))
      t.deepEqual(await store.read(record.id), record)
      const written = await store.update(record.id, (current) => ({ ...current, data: { ...current.data, more: text } }), record)
      t.deepEqual(await store.read(record.id), written)
      t.deepEqual(await collect(store.ownedBy!(record.owner!)), [written])
    }
    t.is((await collect(store.records!())).length, 6)
    // Another connection reads the same text.
    const other = sqlStore({ knex: database.connect(), table, timeout: patience })
    for (const record of await collect(store.records!())) t.deepEqual(await other.read(record.id), record)
  })
}

engineTest('MariaDB: the table keeps emojis and compares bytes in a database whose character set is latin1', async (t) => {
  const admin = database.connect()
  await admin.raw('create database old character set latin1 collate latin1_german2_ci')
  const knex = database.connect({ connection: mysqlConnection(database.url.replace(/mysql$/, 'old')) })
  await createTable({ knex })
  const store = sqlStore({ knex, timeout: patience })
  const record = newRecord({ text: '🙂' })
  await store.create(record.id, record)
  t.deepEqual(await store.read(record.id), record)
  t.is(await store.scope!({ prefix: 'SESSION:', now: Date.now, largest: 1000 }).read(record.id), undefined)
})

engineTest('MariaDB: a record over max_allowed_packet is refused, and the stored one stays', async (t) => {
  const admin = database.connect()
  await createTable({ knex: admin, table: 'packets' })
  const record = newRecord()
  await sqlStore({ knex: admin, table: 'packets', timeout: patience }).create(record.id, record)
  await admin.raw('set global max_allowed_packet = 1048576')
  const store = sqlStore({ knex: database.connect(), table: 'packets', timeout: patience })
  const larger = store.update(record.id, (current) => ({ ...current, data: { text: 'x'.repeat(600_000) } }))
  await t.throwsAsync(async () => larger, { code: 'ERR_SESSION_STORE', message: /max_allowed_packet|reachable again/ })
  // The server closes the connection on which that came, sometimes before it has said why.
  await until('the store has another connection', async () => (await store.read(record.id)) !== undefined)
  t.deepEqual(await store.read(record.id), record)
})

engineTest('MariaDB: a full database refuses saves with ERR_SESSION_STORE and serves readers', async (t) => {
  const full = await engine.start('--innodb-file-per-table=0', '--innodb-data-file-path=ibdata1:12M:autoextend:max:32M')
  t.teardown(async () => full.stop())
  const knex = full.connect()
  await createTable({ knex })
  const store = sqlStore({ knex, timeout: patience }).scope!({ prefix: 'session:', now: Date.now, largest: 10_000_000 })
  const records: SessionRecord[] = []
  const fill = async () => {
    for (;;) {
      const record = newRecord({ text: 'x'.repeat(200_000) })
      await store.create(record.id, record)
      records.push(record)
    }
  }
  await t.throwsAsync(fill(), { code: 'ERR_SESSION_STORE', message: /full.*: free space for the database/ })
  const [first] = records
  const larger = store.update(first!.id, (current) => ({ ...current, data: { text: 'x'.repeat(2_000_000) } }))
  await t.throwsAsync(async () => larger, { code: 'ERR_SESSION_STORE', message: /full/ })
  t.deepEqual(await store.read(first!.id), first)
})
