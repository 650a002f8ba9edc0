import { fork } from 'node:child_process'
import { once } from 'node:events'
import fs from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import test, { type ExecutionContext } from 'ava'
import Sqlite from 'better-sqlite3'
import makeKnex from 'knex'
import type { SessionRecord, SessionStore } from '../../../src/store/index.js'
import { createTable, openSql, sqlStore } from '../../../src/stores/sql/index.js'
import { newRecord } from '../../support/new-record.js'
import { patience } from '../../support/sql.js'
import { runTypeScript } from '../../support/typescript/option.js'

/** A path in a directory that is removed when the test ends. */
function newFile(t: ExecutionContext): string {
  const dir = fs.mkdtempSync(join(tmpdir(), 'keepsake-sqlite-'))
  t.teardown(() => fs.rmSync(dir, { recursive: true, force: true }))
  return join(dir, 'var', 'sessions.db')
}

function open(t: ExecutionContext, file: string, options: { timeout?: number } = { timeout: patience }): SessionStore {
  const store = openSql(new URL(`sqlite:${file}`), options)
  t.teardown(async () => store.close?.())
  return store
}

function count(record: SessionRecord): SessionRecord {
  return { ...record, data: { count: Number(record.data['count'] ?? 0) + 1 } }
}

test('SQLite: the file and its directory are created, and nobody else may read them', async (t) => {
  const file = newFile(t)
  const store = open(t, file)
  const record = newRecord()
  await store.create(record.id, record)
  t.is(fs.statSync(join(file, '..')).mode & 0o777, 0o700)
  const files = fs.readdirSync(join(file, '..'))
  t.deepEqual(files, ['sessions.db', 'sessions.db-shm', 'sessions.db-wal'])
  for (const name of files) t.is(fs.statSync(join(file, '..', name)).mode & 0o777, 0o600, name)
})

test('SQLite: a relative path is relative to the working directory, and a name may have any character', async (t) => {
  const file = newFile(t)
  const directory = join(file, '..')
  const name = 'my sessions #1 %?é.db'
  const written = openSql(new URL(`sqlite:${relative(process.cwd(), directory)}/${encodeURIComponent(name)}`), { timeout: patience })
  const record = newRecord()
  await written.create(record.id, record)
  await written.close!()
  t.true(fs.existsSync(join(directory, name)))
  t.deepEqual(await open(t, `${directory}/${encodeURIComponent(name)}`).read(record.id), record)
})

test('SQLite: a URL with // is refused, because its path means different things elsewhere', (t) => {
  for (const url of ['sqlite://var/sessions.db', 'sqlite:///var/sessions.db', 'sqlite:////var/sessions.db', 'sqlite:', 'sqlite://']) {
    t.throws(() => openSql(new URL(url)), { instanceOf: TypeError, message: /a relative path as sqlite:var\/sessions.db and an absolute one as sqlite:\/var/ }, url)
  }
  t.throws(() => openSql(new URL('sqlite::memory:')), { instanceOf: TypeError, message: /use memory: instead/ })
})

test('SQLite: while another process writes, calls wait without blocking this one, fail in time and work afterwards', async (t) => {
  const file = newFile(t)
  const store = open(t, file, { timeout: 300 })
  const record = newRecord({ count: 0 })
  await store.create(record.id, record)
  const other = new Sqlite(file)
  t.teardown(() => other.close())
  other.exec('begin immediate')
  const delays = monitorEventLoopDelay({ resolution: 1 })
  delays.enable()
  const from = performance.now()
  await t.throwsAsync(async () => store.update(record.id, count), { code: 'ERR_SESSION_STORE', message: /locked: keep transactions .* short/ })
  const took = performance.now() - from
  delays.disable()
  t.true(took < 4000, `it took ${took} ms`)
  // SQLite itself would wait for five seconds, and block this process meanwhile.
  t.true(delays.max < 2e9, `blocked for ${delays.max / 1e6} ms`)
  t.deepEqual(await store.read(record.id), record)
  const waiting = store.update(record.id, count)
  other.exec('rollback')
  t.is((await waiting)?.rev, 2)
})

test('SQLite: four processes that write to one session at once lose nothing', async (t) => {
  const file = newFile(t)
  const store = open(t, file)
  const record = newRecord({ count: 0 })
  await store.create(record.id, record)
  const worker = new URL('../../support/sqlite-worker.ts', import.meta.url)
  const workers = Array.from({ length: 4 }, () => fork(worker, [file, record.id, '50'], { execArgv: [runTypeScript] }))
  const codes = await Promise.all(workers.map(async (child) => (await once(child, 'exit'))[0] as number))
  t.deepEqual(codes, [0, 0, 0, 0])
  t.deepEqual((await store.read(record.id))?.data, { count: 200 })
})

test('SQLite: after kill -9 in the midst of writes every acknowledged write is there', async (t) => {
  const file = newFile(t)
  const store = open(t, file)
  const record = newRecord({ count: 0 })
  await store.create(record.id, record)
  for (let round = 0; round < 3; round++) {
    const before = Number((await store.read(record.id))?.data['count'])
    const child = fork(new URL('../../support/sqlite-worker.ts', import.meta.url), [file, record.id, '1000000'], { execArgv: [runTypeScript] })
    let acknowledged = 0
    child.on('message', () => {
      if (++acknowledged === 100) child.kill('SIGKILL')
    })
    await once(child, 'exit')
    const after = Number((await store.read(record.id))?.data['count'])
    t.true(acknowledged >= 100 && after >= before + acknowledged, `${after} after ${before} and ${acknowledged}`)
  }
})

test('SQLite: a full database refuses saves with ERR_SESSION_STORE, serves readers, lets people log out and recovers', async (t) => {
  const file = newFile(t)
  await open(t, file).read(newRecord().id)
  const knex = makeKnex({ client: 'better-sqlite3', connection: { filename: file }, useNullAsDefault: true, pool: { min: 1, max: 1 } })
  t.teardown(async () => knex.destroy())
  await createTable({ knex })
  const store = sqlStore({ knex, timeout: patience })
  const records: SessionRecord[] = []
  await knex.raw('pragma max_page_count = 60')
  const fill = async () => {
    for (;;) {
      const record = newRecord({ text: 'x'.repeat(5000) })
      await store.create(record.id, record)
      records.push(record)
    }
  }
  await t.throwsAsync(fill(), { code: 'ERR_SESSION_STORE', message: /full: free space for the database/ })
  const [first, second] = records
  await t.throwsAsync(async () => store.update(first!.id, (current) => ({ ...current, data: { text: 'x'.repeat(50_000) } })), { code: 'ERR_SESSION_STORE' })
  t.deepEqual(await store.read(first!.id), first)
  t.deepEqual(await store.destroy(second!.id), second)
  const next = newRecord({ text: 'x'.repeat(4000) })
  t.true(await store.create(next.id, next))
})

test('SQLite: a file that is no database fails with ERR_SESSION_STORE and is left as it is', async (t) => {
  const file = newFile(t)
  fs.mkdirSync(join(file, '..'))
  fs.writeFileSync(file, 'this is a text and no database. '.repeat(100))
  const store = open(t, file)
  await t.throwsAsync(async () => store.read(newRecord().id), { code: 'ERR_SESSION_STORE', message: /file is not a database/ })
  t.is(fs.statSync(file).size, 3200)
})

test('SQLite: the timer that removes expired sessions does not keep the process alive', async (t) => {
  const file = newFile(t)
  await open(t, file).read(newRecord().id)
  const child = fork(new URL('../../support/sqlite-worker.ts', import.meta.url), [file, newRecord().id, '1', 'unclosed'], { execArgv: [runTypeScript] })
  child.on('message', () => child.disconnect())
  t.deepEqual(await once(child, 'exit'), [0, null])
})
