import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { storeFromUrl } from '../../src/index.js'
import { runCommand } from '../support/cli.js'
import { seed, sessionOf } from '../support/cli-sessions.js'
import { tempDir } from '../support/files.js'
import { needsMemcached, startMemcached } from '../support/memcached.js'
import { needsMongo, patientUrl, startTemporaryDatabase } from '../support/mongo.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { engines, needsEngine } from '../support/sql.js'
import { tourOf } from './store-tour.js'

// The command on every store, with real servers.

tourOf(test, 'files', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'keepsake-cli-'))
  return { url: `file:${dir}`, stop: () => rm(dir, { recursive: true }) }
})

tourOf(needsRedis(test), 'Redis', () => startRedis())

tourOf(needsMongo(test), 'MongoDB', async () => {
  const { url, database, end } = await startTemporaryDatabase()
  return { url: patientUrl(`${url}/${database}`), stop: end }
})

for (const engine of engines) {
  tourOf(needsEngine(test, engine), engine.name, async () => {
    const database = await engine.start()
    // The first call creates the file of an SQLite database.
    const store = storeFromUrl(database.url)
    await store.read('0'.repeat(64))
    await store.close!()
    return database
  })
}

needsMemcached(test).serial('memcached: what needs a list of sessions is an honest error, and a single session is shown and ended', async (t) => {
  const url = `memcached://${(await startMemcached(t)).address}`
  const store = storeFromUrl(url)
  t.teardown(() => store.close!())
  const [record] = await seed(store, [{ owner: '17' }])
  const on = ['--store', url]
  for (const args of [['list', ...on], ['list', '--owner', '17', ...on], ['end', '--owner', '17', '--yes', ...on], ['show', record!.id.slice(0, 12), ...on], ['copy', url, `file:${tempDir(t)}`]]) {
    const { status, stderr } = await runCommand(args)
    t.is(status, 1, args[0])
    t.regex(stderr, /memcached:\/\/127\.0\.0\.1:\d+ cannot list its sessions, because the server keeps no list: show ID and end ID work with the whole id/)
  }
  t.regex((await runCommand(['show', record!.id, ...on])).stdout, /^owner: +17$/m)
  t.regex((await runCommand(['check', ...on])).stdout, /^the server answers; it keeps no list/)
  t.is((await runCommand(['end', record!.id, '--yes', ...on])).status, 0)
  t.is(await store.read(record!.id), undefined)
})

needsMemcached(test).serial('memcached: sessions are copied to it, and --delete is refused because it cannot list them', async (t) => {
  const url = `memcached://${(await startMemcached(t)).address}`
  const dir = tempDir(t)
  const [files, store] = [storeFromUrl(`file:${dir}`), storeFromUrl(url)]
  t.teardown(() => Promise.all([files.close!(), store.close!()]))
  const [record] = await seed(files, [{ owner: '17' }])
  t.is((await runCommand(['copy', `file:${dir}`, url])).status, 0)
  t.is((await store.read(record!.id))?.owner, '17')
  await files.update(record!.id, (current) => ({ ...current, data: { changed: true } }))
  t.regex((await runCommand(['copy', `file:${dir}`, url])).stdout, /^updated +1 /m)
  t.deepEqual((await store.read(record!.id))?.data, { changed: true })
  const refused = await runCommand(['copy', `file:${dir}`, url, '--delete', '--yes'])
  t.is(refused.status, 1)
  t.regex(refused.stderr, /cannot list its sessions/)
})

for (const [what, args, env] of [
  ['memory:', ['list', '--store', 'memory:'], {}],
  ['memory: as a target', ['copy', 'memory:', 'file:x'], {}],
  ['SESSION_TYPE=memory', ['list'], { SESSION_TYPE: 'memory' }],
  ['SESSION_TYPE=cookie', ['list'], { SESSION_TYPE: 'cookie' }]
] as const) {
  test.serial(`${what}: the command says why it cannot see the sessions`, async (t) => {
    const { status, stdout, stderr } = await runCommand(args, { env })
    t.deepEqual([status, stdout], [1, ''])
    t.regex(stderr, /keeps the sessions inside the process of the application, where this command cannot see them|keeps each session in its own cookie/)
  })
}

test.serial('without --store, the SESSION_* of the environment name the store and the prefix', async (t) => {
  const dir = tempDir(t)
  const store = storeFromUrl(`file:${dir}`).scope!({ prefix: 'app:', now: Date.now, largest: 1e6 })
  const [record] = await seed(store, [{}])
  const env = { SESSION_TYPE: 'filesystem', SESSION_FILE_DIR: dir, SESSION_KEY_PREFIX: 'app:', HOME: '/root' }
  const id = async (args: readonly string[], environment: Record<string, string> = env) => (await runCommand(['list', '--json', ...args], { env: environment })).stdout.slice(7, 71)
  t.is(await id([]), record!.id)
  t.is(await id(['--prefix', 'session:']), '')
  t.is(await id(['--store', `file:${dir}`]), record!.id, 'SESSION_KEY_PREFIX applies with --store too')
  t.is(await id(['--store', `file:${dir}`, '--prefix', 'app:'], {}), record!.id)
})

needsRedis(test).serial('the environment may name a server', async (t) => {
  const server = await startRedis('--requirepass', 'hunter2')
  t.teardown(server.stop)
  const url = `redis://:hunter2@127.0.0.1:${server.port}/3`
  const store = storeFromUrl(url)
  t.teardown(() => store.close!())
  const [record] = await seed(store, [{ owner: '17' }])
  const env = { SESSION_TYPE: 'redis', SESSION_REDIS: url }
  t.regex((await runCommand(['list', '--json'], { env })).stdout, new RegExp(record!.id))
  for (const result of [await runCommand(['end', record!.id, '--yes', '--store', url]), await runCommand(['list', '--store', url]), await runCommand(['list'], { env: { ...env, SESSION_REDIS: url.replace('hunter2', 'wrong-hunter2') } })]) {
    t.false((result.stdout + result.stderr).includes('hunter2'), 'the password is never shown')
  }
})

needsRedis(test).serial('a server that is down is an error that says so, within seconds', async (t) => {
  const server = await startRedis()
  t.teardown(server.stop)
  await server.kill()
  const { status, stderr } = await runCommand(['list', '--store', server.url])
  t.is(status, 1)
  t.regex(stderr, /^koa-keepsake: the session store failed to list sessions: /)
})

test.serial('large records are no corrupt ones, because an application may allow them', async (t) => {
  const dir = tempDir(t)
  const store = storeFromUrl(`file:${dir}`).scope!({ prefix: 'session:', now: Date.now, largest: 1e8 })
  const record = sessionOf({ data: { text: 'x'.repeat(2_000_000) } })
  await store.create(record.id, record)
  t.regex((await runCommand(['list', '--store', `file:${dir}`])).stdout, / 1\.9 MiB /)
  t.is((await runCommand(['check', '--store', `file:${dir}`])).status, 0)
  t.is((await runCommand(['copy', `file:${dir}`, `file:${dir}/copy`])).status, 0)
})
