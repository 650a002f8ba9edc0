import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { pathToFileURL } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { registerStoreScheme, storeFromUrl } from '../../src/stores/from-url.js'
import { memoryStore } from '../../src/stores/memory/index.js'
import { newRecord } from '../support/new-record.js'
import { freePort, needsRedis, startRedis, until } from '../support/redis.js'
import type { Command, Scenario } from '../support/url-worker.js'
import { runTypeScript } from '../support/typescript/option.js'

const redisTest = needsRedis(test)

redisTest('a session is kept in the server that the URL names, in its database, with its password', async (t) => {
  const server = await startRedis('--requirepass', 'p@ss')
  t.teardown(server.stop)
  const store = storeFromUrl(`redis://:p%40ss@127.0.0.1:${server.port}/3`)
  const record = newRecord()
  t.true(await store.create(record.id, record))
  t.is((await store.update(record.id, (current) => current))?.rev, 2)
  t.is(await server.cli('-a', 'p@ss', '--no-auth-warning', '-n', '3', 'EXISTS', `session:${record.id}`), '1\n')
  await store.close!()
  await store.close!()
  await t.throwsAsync(async () => store.read(record.id), { code: 'ERR_SESSION_STORE', message: /closed/ })
  await until('the client is gone', async () => !(await server.cli('-a', 'p@ss', '--no-auth-warning', 'CLIENT', 'LIST')).includes('db=3'))
})

// In processes of their own, so that a driver can be hidden from them, and to show that a closed store keeps none alive.
for (const [driver, hidden] of [['redis', []], ['ioredis', ['redis']]] as const) {
  redisTest(`${driver}: a server that was down at the start, went down or did not answer is found again once it is back`, async (t) => {
    const server = await startRedis()
    t.teardown(server.stop)
    await server.kill()
    const told = await runWorker('faults', hidden, server.url, async (command) => server[command]())
    const failed = 'ERR_SESSION_STORE'
    t.deepEqual(told, {
      down: [failed, failed],
      started: true,
      killed: failed,
      restarted: true,
      paused: [failed, failed, failed],
      stillPaused: failed,
      resumed: true
    })
  })
}

for (const [driver, hidden] of [['redis', []], ['ioredis', ['redis']]] as const) {
  test(`${driver}: a server that is down is named when session() gets the store, before the first request`, async (t) => {
    const port = await freePort()
    t.regex(String(await runWorker('opened', hidden, `redis://user:hunter2@127.0.0.1:${port}`)), new RegExp(`^redisStore: cannot reach Redis at 127\\.0\\.0\\.1:${port}: connect ECONNREFUSED`))
  })
}

test('a missing driver is an error of the call, which says what to install and does not show the URL', async (t) => {
  const told = String(await runWorker('missing', ['redis', 'ioredis'], 'redis://user:hunter2@localhost'))
  t.regex(told, /needs a driver that is not installed: npm install redis \(or ioredis\)/)
  t.notRegex(told, /hunter2/)
})

test('importing the store and storeFromUrl loads no driver', async (t) => {
  t.deepEqual(await runWorker('imported', [], ''), ['function', 'function', []])
})

test('a URL with another scheme is refused and never quoted', (t) => {
  for (const [url, message] of [
    ['localhost:6379', /must begin with one of file:, memory:, redis:, .*, got localhost:$/],
    ['//user:hunter2@localhost', /must be a URL such as redis:\/\/localhost:6379/],
    ['https://user:hunter2@localhost', /must begin with one of .*, got https:/],
    ['redis:localhost,hunter2', /must be like redis:\/\/localhost:6379/],
    ['redis://user:hunter2@local host', /must be like redis:\/\/localhost:6379/],
    ['postgres://user:hunter2@local host', /url is not a valid URL/],
    ['file://host/hunter2', /a file: URL has no host: write file:var\/sessions or file:\/var\/sessions/],
    ['file:', /must name a directory/],
    ['file:100%hunter2', /write %25 for a %/],
    ['memory:hunter2', /has no host and no path: write memory:/]
  ] as const) {
    const error = t.throws(() => storeFromUrl(url), { instanceOf: TypeError, message }, url)
    t.false(error.message.includes('hunter2'), url)
  }
  t.throws(() => storeFromUrl('redis://localhost', { client: {} }), { instanceOf: TypeError, message: /unknown option "client"/ })
  t.throws(() => storeFromUrl('redis://localhost', { waitReplicas: 0.5 }), { instanceOf: TypeError, message: /waitReplicas/ })
  t.throws(() => storeFromUrl('file:x', { dir: 'y' }), { instanceOf: TypeError, message: /unknown option "dir"/ })
  t.throws(() => storeFromUrl('file:x?speed=1'), { instanceOf: TypeError, message: /unknown option "speed"/ })
  t.throws(() => storeFromUrl('memory:?maxSessions=many'), { instanceOf: TypeError, message: /maxSessions must be a whole number/ })
  t.throws(() => storeFromUrl('memory:', null as unknown as object), { instanceOf: TypeError, message: /options must be an object/ })
})

test('a store that was never used can be closed', async (t) => {
  const store = storeFromUrl(`redis://127.0.0.1:${await freePort()}`)
  await t.notThrowsAsync(store.close!())
})

test('file: names a directory, relative or absolute, and the options of its store', async (t) => {
  const dir = await temporary(t)
  const urls = [
    `file:${relative(process.cwd(), join(dir, 'relative'))}?threshold=50&mode=640`,
    `file:${join(dir, 'absolute')}?mode=640&durability=power&sweepEvery=60000`,
    `FILE://${join(dir, 'slashes')}?mode=640`,
    `file://localhost${join(dir, 'host')}?mode=640`,
    pathToFileURL(join(dir, 'a space and %')).href + '?mode=640',
    new URL(`${pathToFileURL(join(dir, 'object')).href}?mode=640`)
  ]
  for (const url of urls) {
    const store = storeFromUrl(url)
    const record = newRecord()
    t.true(await store.create(record.id, record))
    t.deepEqual(await store.read(record.id), record)
    await store.close!()
  }
  const names = ['a space and %', 'absolute', 'host', 'object', 'relative', 'slashes']
  t.deepEqual((await readdir(dir)).sort(), names)
  for (const name of names) {
    const file = (await readdir(join(dir, name))).find((each) => each.endsWith('.json'))
    t.is((await stat(join(dir, name, file!))).mode & 0o777, 0o640, name)
  }
})

test('options override those in the URL', async (t) => {
  const dir = await temporary(t)
  const store = storeFromUrl(`file:${dir}?mode=600`, { mode: 0o640 })
  const record = newRecord()
  await store.create(record.id, record)
  await store.close!()
  const file = (await readdir(dir)).find((each) => each.endsWith('.json'))
  t.is((await stat(join(dir, file!))).mode & 0o777, 0o640)
})

test('memory: keeps sessions in this process', async (t) => {
  for (const url of ['memory:', 'memory://', 'memory:?maxSessions=1']) {
    const store = storeFromUrl(url)
    const records = [newRecord(), newRecord()]
    for (const record of records) t.true(await store.create(record.id, record))
    t.deepEqual(await store.read(records[1]!.id), records[1])
    t.is((await store.read(records[0]!.id)) === undefined, url.includes('maxSessions'), url)
    await store.close!()
  }
})

test('an application can add a scheme: its opener gets the URL as it was given', async (t) => {
  const calls: unknown[] = []
  registerStoreScheme('etcd-test:', (url, options, where) => {
    calls.push(url, options, where)
    return memoryStore()
  })
  const store = storeFromUrl('etcd-test://one:1,two:2/path?x=1', { lease: 5 })
  const record = newRecord()
  t.true(await store.create(record.id, record))
  t.deepEqual(calls, ['etcd-test://one:1,two:2/path?x=1', { lease: 5 }, 'storeFromUrl(url, options)'])
  for (const scheme of ['etcd', 'ETCD:', 'etcd://', '']) t.throws(() => registerStoreScheme(scheme, () => memoryStore()), { instanceOf: TypeError, message: /must be lower-case and end with a colon/ })
  t.throws(() => registerStoreScheme('etcd:', {} as never), { instanceOf: TypeError, message: /opener must be a function/ })
})

/** Runs a scenario in a process for which the packages are not installed; answers what it told. */
async function runWorker(scenario: Scenario, hidden: readonly string[], url: string, obey?: (command: Command) => Promise<void> | void): Promise<unknown> {
  const hide = `
    import module from 'node:module'
    const { _resolveFilename: resolve } = module
    module._resolveFilename = function (name, ...rest) {
      if (${JSON.stringify(hidden)}.includes(name)) throw Object.assign(new Error('hidden'), { code: 'MODULE_NOT_FOUND' })
      return resolve.call(this, name, ...rest)
    }`
  const worker = fork(new URL('../support/url-worker.ts', import.meta.url), [scenario, url, JSON.stringify(newRecord())], {
    execArgv: [runTypeScript, `--import=data:text/javascript,${encodeURIComponent(hide)}`]
  })
  let told: unknown
  worker.on('message', (message: { command?: Command; told?: unknown }) => {
    if (message.command === undefined) told = message.told
    else void Promise.resolve(obey?.(message.command)).then(() => worker.send('done'))
  })
  const [[code]] = (await Promise.all([once(worker, 'exit'), once(worker, 'disconnect')])) as [[number], unknown]
  if (code !== 0) throw new Error(`the worker ended with ${code}`)
  return told
}

async function temporary(t: ExecutionContext): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'keepsake-url-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  return dir
}
