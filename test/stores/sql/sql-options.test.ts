import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import makeKnex from 'knex'
import { createTable, sqlStore, type SqlStoreOptions } from '../../../src/stores/sql/index.js'
import { engines } from '../../support/sql.js'
import { runTypeScript } from '../../support/typescript/option.js'

// It connects to nothing: no test here sends a statement.
const knex = makeKnex({ client: 'pg', connection: 'postgres://127.0.0.1:1/none' })
const sqlite = makeKnex({ client: 'better-sqlite3', connection: { filename: ':memory:' }, useNullAsDefault: true })
test.after.always(async () => {
  await Promise.all([knex, sqlite].map((each) => each.destroy()))
})

test('a name of a table or a schema that is no plain identifier is refused', (t) => {
  const names = ['', 'a-b', 'a b', 'a.b', '"a"', 'a`', "a'", 'a;drop table users', '1a', 'é', 'a'.repeat(49), '?', 'a\n', 'a\0']
  for (const name of names) {
    const expected = { instanceOf: TypeError, message: /table must have up to 48 letters, digits and underscores, and not begin with a digit/ }
    t.throws(() => sqlStore({ knex, table: name }), expected, JSON.stringify(name))
    t.throws(() => sqlStore({ knex, schema: name }), { instanceOf: TypeError, message: /schema must have/ }, JSON.stringify(name))
  }
  for (const name of ['sessions', '_s', 'App_Sessions_2', 'a'.repeat(48)]) t.notThrows(() => sqlStore({ knex, table: name, schema: name }))
})

test('a wrong option is a TypeError that names it', async (t) => {
  const wrong: readonly (readonly [object, RegExp])[] = [
    [{}, /knex must be what knex\(\{ client: 'pg', … \}\) returned, got undefined/],
    [{ knex: 'postgres://localhost' }, /knex must be .* returned \(for a URL, use storeFromUrl\('postgres:\/\/…'\)\), got a string/],
    [{ knex: {} }, /knex must be/],
    [{ knex: makeKnex }, /knex must be/],
    [knex, /got a Knex instance: write sqlStore\(\{ knex \}\)/],
    [{ knex, table: 1, timeout: 'x' }, /table must have .*, got 1; timeout must be .*, got 'x'/],
    [{ knex, tabel: 'sessions' }, /unknown option "tabel".*; known are knex, table, schema, pruneEvery, timeout/],
    [{ knex, table: 1 }, /table must have up to 48 letters.*, got 1/],
    [{ knex, pruneEvery: -1 }, /pruneEvery must be whole milliseconds/],
    [{ knex, pruneEvery: 2 ** 31 }, /pruneEvery must be whole milliseconds up to 2147483647/],
    [{ knex, timeout: 0 }, /timeout must be a number of milliseconds above 0/],
    [{ knex: sqlite, schema: 'main' }, /schema cannot be used with SQLite/]
  ]
  for (const [options, message] of wrong) {
    t.throws(() => sqlStore(options as SqlStoreOptions), { instanceOf: TypeError, message })
    await t.throwsAsync(createTable(options as SqlStoreOptions), { instanceOf: TypeError, message })
  }
})

test('a database that the store does not know is refused', (t) => {
  const other = Object.assign(() => undefined, { raw: () => undefined, client: { dialect: 'oracle', acquireConnection: () => undefined } })
  t.throws(() => sqlStore({ knex: other as unknown as SqlStoreOptions['knex'] }), { instanceOf: TypeError, message: /PostgreSQL, MySQL, MariaDB or SQLite, got oracle/ })
})

test('a transaction is refused as knex, with the reason', async (t) => {
  await sqlite.transaction(async (transaction) => {
    t.throws(() => sqlStore({ knex: transaction }), { instanceOf: TypeError, message: /must not be a transaction: its rollback would undo saves and logouts/ })
  })
})

test('a prefix that would not fit the column of ids is refused', (t) => {
  const store = sqlStore({ knex })
  const scope = { now: Date.now, largest: 1000 }
  t.notThrows(() => store.scope!({ ...scope, prefix: 'p'.repeat(191) }))
  t.throws(() => store.scope!({ ...scope, prefix: 'p'.repeat(192) }), { instanceOf: TypeError, message: /at most 191 characters/ })
  t.throws(() => store.scope!({ ...scope, prefix: '漢'.repeat(22) }), { instanceOf: TypeError, message: /at most 191 characters/ })
})

test('importing the store loads neither Knex nor a driver', async (t) => {
  const script = `await import(${JSON.stringify(new URL('../../../src/stores/sql/index.ts', import.meta.url).href)})
    const { createRequire } = await import('node:module')
    console.log(JSON.stringify(Object.keys(createRequire(import.meta.url).cache)))`
  const { stdout } = await promisify(execFile)(process.execPath, [runTypeScript, '--input-type=module', '-e', script])
  t.deepEqual((JSON.parse(stdout) as string[]).filter((file) => /node_modules\/(knex|pg|mysql2|better-sqlite3)\b/.test(file)), [])
})

test('each database is tested', (t) => {
  t.deepEqual(engines.map(({ name }) => name), ['PostgreSQL', 'MariaDB', 'SQLite'])
})
