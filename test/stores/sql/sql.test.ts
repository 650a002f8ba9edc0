import { subscribe } from 'node:diagnostics_channel'
import { inspect } from 'node:util'
import test from 'ava'
import type { Knex } from 'knex'
import { channelName, type SessionEvent } from '../../../src/events.js'
import { dialectOf } from '../../../src/stores/sql/dialects.js'
import { createTable, sqlStore } from '../../../src/stores/sql/index.js'
import { statementsOf } from '../../../src/stores/sql/statements.js'
import { until } from '../../support/redis.js'
import { newRecord } from '../../support/new-record.js'
import { collect, engines, needsEngine, patience, planOf, type Database } from '../../support/sql.js'

for (const engine of engines) {
  const engineTest = needsEngine(test, engine)
  const title = (guarantee: string) => `${engine.name}: ${guarantee}`
  let database: Database
  let knex: Knex
  let tables = 0

  engineTest.before(async () => {
    database = await engine.start()
    knex = database.connect()
  })
  engineTest.after.always(async () => {
    await database?.stop()
  })
  const newTable = async (): Promise<string> => {
    const table = `table_${tables++}`
    await createTable({ knex, table })
    return table
  }

  engineTest(title('a transaction of the application that is rolled back undoes neither a save nor a logout'), async (t) => {
    const table = await newTable()
    const store = sqlStore({ knex, table, timeout: patience })
    const [saved, ended] = [newRecord({ n: 0 }), newRecord()]
    await store.create(saved.id, saved)
    await store.create(ended.id, ended)
    const error = await t.throwsAsync(
      knex.transaction(async (transaction) => {
        await transaction.raw('select 1')
        await store.update(saved.id, (current) => ({ ...current, data: { n: 1 } }))
        await store.destroy(ended.id)
        throw new Error('rolled back')
      })
    )
    t.is(error.message, 'rolled back')
    t.deepEqual((await store.read(saved.id))?.data, { n: 1 })
    t.is(await store.read(ended.id), undefined)
  })

  engineTest(title('any text comes back as it was, also NUL, lone surrogates, quotes and a megabyte'), async (t) => {
    const store = sqlStore({ knex, table: await newTable(), timeout: patience }).scope!({ prefix: 'p:', now: Date.now, largest: 10_000_000 })
    const texts = ['\0', 'a\0b', '\ud800', '\udc00\ud800', '🙂', "O'Brien", `'"\\\`; drop table x; --`, '\\', "\\'", '?', '??', ':name', '$1', '%s', '\u2028', '漢'.repeat(400_000)]
    for (const text of texts) {
      const record = newRecord({ [text.slice(0, 50)]: text }, { owner: text.slice(0, 256) })
      t.true(await store.create(record.id, record))
      t.deepEqual(await store.read(record.id), record)
      const written = await store.update(record.id, (current) => ({ ...current, data: { ...current.data, text } }))
      t.deepEqual(await store.read(record.id), written)
      t.deepEqual(await collect(store.ownedBy!(record.owner!)), [written])
    }
  })

  engineTest(title('prefixes that differ only in case, in accents or in trailing blanks share no session'), async (t) => {
    const table = await newTable()
    const prefixes = ['session:', 'SESSION:', 'sèssion:', 'session: ', 'session:%20', 'session', '', 'session:a', '%', '_______:', "'"]
    const record = newRecord()
    const stores = prefixes.map((prefix) => sqlStore({ knex, table, timeout: patience }).scope!({ prefix, now: Date.now, largest: 100_000 }))
    for (const [at, store] of stores.entries()) {
      t.is(await store.read(record.id), undefined, prefixes[at])
      t.true(await store.create(record.id, { ...record, data: { at } }), prefixes[at])
    }
    for (const [at, store] of stores.entries()) {
      t.deepEqual((await collect(store.records!())).map(({ data }) => data), [{ at }], prefixes[at])
      t.deepEqual((await store.destroy(record.id))?.data, { at }, prefixes[at])
    }
  })

  engineTest(title('two stores with different prefixes on one table prune only their own'), async (t) => {
    const table = await newTable()
    let time = Date.now()
    const [one, other] = ['one:', 'one:two:'].map((prefix) => sqlStore({ knex, table, timeout: patience }).scope!({ prefix, now: () => time, largest: 100_000 }))
    for (let at = 0; at < 3; at++) {
      const record = newRecord()
      await one!.create(record.id, record)
      await other!.create(record.id, record)
    }
    time += 4_000_000
    t.is(await one!.prune!(), 3)
    t.is((await knex(table)).length, 3)
    t.is(await other!.prune!(), 3)
  })

  engineTest(title('prune() keeps a record for a minute after its deadline, a marker not that long, and removes any number of others'), async (t) => {
    const table = await newTable()
    let time = Date.now()
    const store = sqlStore({ knex, table, timeout: patience }).scope!({ prefix: 'p:', now: () => time, largest: 100_000 })
    const expires = time + 10_000
    const marker = newRecord({}, { expires, moved: true })
    const late = newRecord({}, { expires: expires + 0.5 })
    const others = Array.from({ length: 250 }, () => newRecord({}, { expires }))
    await Promise.all([marker, late, ...others].map(async (record) => store.create(record.id, record)))
    time = expires - 1
    t.is(await store.prune!(), 0)
    time = expires
    t.is(await store.prune!(), 1)
    time = expires + 59_999
    t.is(await store.prune!(), 0)
    t.truthy(await store.update(others[0]!.id, (current) => ({ ...current, expires: time + 1000 })))
    time = expires + 60_000
    const counts = await Promise.all([store.prune!(), store.prune!()])
    t.is(counts[0] + counts[1], others.length - 1, 'two that prune at once remove each row once')
    time = expires + 60_001
    t.is(await store.prune!(), 1)
    t.truthy(await store.read(others[0]!.id))
  })

  engineTest(title('expired sessions are removed in the background, and no more after close()'), async (t) => {
    const table = await newTable()
    const store = sqlStore({ knex, table, pruneEvery: 10, timeout: patience })
    const rows = async () => (await knex(table)).length
    const record = newRecord({}, { expires: Date.now() - 60_001 })
    t.true(await store.create(record.id, record))
    await until('the session is removed', async () => (await rows()) === 0)
    await store.close!()
    const after = sqlStore({ knex, table, pruneEvery: 0, timeout: patience })
    await after.create(record.id, record)
    t.is(await after.prune!(), 1)
  })

  engineTest(title('a failure in the background is an event and stops nothing'), async (t) => {
    const table = await newTable()
    const errors: unknown[] = []
    subscribe(channelName, (message) => {
      const event = message as SessionEvent
      if (event.type === 'store-error' && inspect(event.error).includes(table)) errors.push(event)
    })
    const store = sqlStore({ knex, table, pruneEvery: 10, timeout: patience })
    await store.read(newRecord().id)
    await knex.schema.dropTable(table)
    await until('the failure is reported', () => errors.length >= 2)
    await createTable({ knex, table })
    const record = newRecord()
    t.true(await store.create(record.id, record))
    await store.close!()
  })

  engineTest(title('an error shows no data of a session, neither in its message nor in its cause'), async (t) => {
    const table = await newTable()
    const store = sqlStore({ knex, table, timeout: patience })
    const record = newRecord({ secret: 'momo - has a secret' }, { owner: 'somebody' })
    const { id } = record
    await knex.schema.dropTable(table)
    const calls = [() => store.create(id, record), () => store.update(id, (current) => current, record), () => store.destroy(id), () => store.prune!()]
    for (const call of calls) {
      const error = await t.throwsAsync(async () => call(), { code: 'ERR_SESSION_STORE' })
      const shown = inspect(error, { depth: 20, showHidden: true })
      const hex = Buffer.from('has a secret').toString('hex')
      for (const secret of ['has a secret', hex, 'somebody', id, record.write]) t.false(shown.includes(secret), shown)
    }
  })

  engineTest(title('reading, listing and pruning use an index'), async (t) => {
    const table = await newTable()
    const { get, list, listOwned, listExpired } = statementsOf(dialectOf(knex.client as { dialect: string } & Parameters<typeof dialectOf>[0])!, table, undefined)
    const rows = Array.from({ length: 500 }, (_, at) => ({ id: `p:${String(at).padStart(64, '0')}`, rev: 1, write: 'w', expires: at, owner: String(at % 50).padStart(64, '0'), record: '{}' }))
    for (let at = 0; at < rows.length; at += 100) await knex(table).insert(rows.slice(at, at + 100))
    const range = ['p:', 'p:g', 66]
    const plans: readonly (readonly [sql: string, bindings: readonly (string | number)[], index: RegExp])[] = [
      [get, [rows[7]!.id], /pkey|PRIMARY|autoindex/],
      [list, range, /pkey|PRIMARY|autoindex/],
      [listOwned, [rows[7]!.owner, ...range], /owner/],
      [listExpired, [3, 2, 'p:', 66], /expires/]
    ]
    for (const [sql, bindings, index] of plans) t.regex(await planOf(knex, sql, bindings), index, sql)
  })

  engineTest(title('a call after the Knex instance was destroyed fails with ERR_SESSION_STORE'), async (t) => {
    const own = database.connect()
    const store = sqlStore({ knex: own, table: await newTable(), timeout: patience })
    await store.read(newRecord().id)
    await own.destroy()
    await t.throwsAsync(async () => store.read(newRecord().id), { code: 'ERR_SESSION_STORE' })
  })
}
