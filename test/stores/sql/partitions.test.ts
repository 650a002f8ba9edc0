import test from 'ava'
import type { Knex } from 'knex'
import { createTable, sqlStore } from '../../../src/stores/sql/index.js'
import { storeConformance } from '../../../src/testing/conformance.js'
import { needsEngine, patience, planOf, servers, type Database } from '../../support/sql.js'

// docs/scale.md advises a table in partitions where one table is too large to be vacuumed in time.

const engine = servers.find(({ name }) => name === 'PostgreSQL')!
const engineTest = needsEngine(test, engine)
const partitions = 4
let database: Database
let knex: Knex

engineTest.before(async () => {
  database = await engine.start()
  knex = database.connect()
  await knex.raw(`create table "sessions" (
    "id" varchar(255) collate "C" primary key, "rev" bigint not null, "write" varchar(255) not null, "expires" bigint not null, "owner" char(64), "record" text not null
  ) partition by hash ("id")`)
  for (let part = 0; part < partitions; part++) {
    await knex.raw(`create table "sessions_${part}" partition of "sessions" for values with (modulus ${partitions}, remainder ${part})`)
  }
  // Creates the indexes, on every partition.
  await createTable({ knex })
})
engineTest.after.always(async () => {
  await database?.stop()
})

storeConformance(
  (title, run) => engineTest(`PostgreSQL, a table in partitions: ${title}`, run),
  (scope) => sqlStore({ knex, timeout: patience }).scope!(scope)
)

engineTest('PostgreSQL, a table in partitions: a session is looked for in one partition', async (t) => {
  const plan = await planOf(knex, 'select record from sessions where id = ?', [`session:${'a'.repeat(64)}`])
  t.is(new Set(plan.match(/sessions_\d_pkey/g)).size, 1, plan)
})
