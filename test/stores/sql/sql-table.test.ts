import { readFile } from 'node:fs/promises'
import test from 'ava'
import { createTable, sqlStore } from '../../../src/stores/sql/index.js'
import { newRecord } from '../../support/new-record.js'
import { engines, needsEngine, patience, type Database } from '../../support/sql.js'

const guide = await readFile(new URL('../../../docs/stores/sql.md', import.meta.url), 'utf8')

/** The statements under the heading of a database. */
function printed(name: string): string[] {
  const [, block] = new RegExp(`^(?:MySQL.*, )?${name} \\(.*\\n\\n\`\`\`sql\\n([^]*?)\`\`\``, 'm').exec(guide)!
  return block!.split(/;\n/).slice(0, -1)
}

for (const engine of engines) {
  const engineTest = needsEngine(test, engine)
  let database: Database
  engineTest.before(async () => {
    database = await engine.start()
  })
  engineTest.after.always(async () => {
    await database?.stop()
  })

  engineTest(`${engine.name}: the guide prints the statements that createTable() runs`, async (t) => {
    const knex = database.connect()
    const statements: string[] = []
    knex.on('query', ({ sql }: { sql: string }) => statements.push(sql))
    await createTable({ knex })
    t.deepEqual(statements.filter((sql) => sql.startsWith('create')), printed(engine.name))
  })

  engineTest(`${engine.name}: a table that was created by hand works`, async (t) => {
    const knex = database.connect()
    for (const statement of printed(engine.name)) await knex.raw(statement.replaceAll('sessions', 'by_hand'))
    const store = sqlStore({ knex, table: 'by_hand', timeout: patience })
    const record = newRecord()
    t.true(await store.create(record.id, record))
    t.deepEqual(await store.read(record.id), record)
  })

  engineTest(`${engine.name}: createTable() in many processes at once succeeds in each, and again later, and keeps what is stored`, async (t) => {
    for (let round = 0; round < 5; round++) {
      const table = `at_once_${round}`
      const knexes = Array.from({ length: 8 }, () => database.connect({ pool: { max: 1 } }))
      await Promise.all(knexes.map((knex) => createTable({ knex, table })))
      const store = sqlStore({ knex: knexes[0]!, table, timeout: patience })
      const record = newRecord()
      await store.create(record.id, record)
      await createTable({ knex: knexes[1]!, table })
      t.deepEqual(await store.read(record.id), record)
      await Promise.all(knexes.map((knex) => knex.destroy()))
    }
  })

  engineTest(`${engine.name}: without a table, a call fails with ERR_SESSION_STORE and says how to create it`, async (t) => {
    const store = sqlStore({ knex: database.connect(), table: 'absent', timeout: patience })
    const { id } = newRecord()
    await t.throwsAsync(async () => store.read(id), { code: 'ERR_SESSION_STORE', message: /create the table with createTable\(\)/ })
  })

  if (engine.name === 'SQLite') continue
  engineTest(`${engine.name}: the table may be in another schema`, async (t) => {
    const knex = database.connect()
    await t.throwsAsync(createTable({ knex, schema: 'other' }), { code: 'ERR_SESSION_STORE', message: /failed to create the table/ })
    await knex.raw('create schema other')
    await createTable({ knex, schema: 'other' })
    const store = sqlStore({ knex, schema: 'other', timeout: patience })
    const record = newRecord({}, { owner: 'momo' })
    await store.create(record.id, record)
    t.deepEqual(await store.read(record.id), record)
    t.is((await knex.withSchema('other').from('sessions')).length, 1)
  })
}
