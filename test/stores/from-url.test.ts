import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import test from 'ava'
import { storeFromUrl } from '../src/store-from-url.js'
import type { SessionRecord } from '../src/store.js'
import { freePort, needsRedis, startRedis, until } from './support/redis.js'
import type { Command, Scenario } from './support/url-worker.js'

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
  await t.throwsAsync(store.read(record.id), { code: 'ERR_SESSION_STORE', message: /closed/ })
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

test('a driver that is missing is an error of the call that says what to install, without the URL', async (t) => {
  const told = String(await runWorker('missing', ['redis', 'ioredis'], 'redis://user:hunter2@localhost'))
  t.regex(told, /needs a driver that is not installed: npm install redis \(or ioredis\)/)
  t.notRegex(told, /hunter2/)
})

test('importing the store and storeFromUrl loads no driver', async (t) => {
  t.deepEqual(await runWorker('imported', [], ''), ['function', 'function', []])
})

test('a URL of another kind is refused, and never quoted', (t) => {
  for (const [url, message] of [
    ['localhost:6379', /must begin with redis:\/\/ or rediss:\/\//],
    ['//user:hunter2@localhost', /must be a URL such as redis:\/\/localhost:6379/],
    ['https://user:hunter2@localhost', /must begin with redis:\/\/ or rediss:\/\/, got https:/]
  ] as const) {
    const error = t.throws(() => storeFromUrl(url), { instanceOf: TypeError, message })
    t.false(error.message.includes('hunter2'))
  }
  t.throws(() => storeFromUrl('redis://localhost', { client: {} } as object), { instanceOf: TypeError, message: /unknown option "client"/ })
  t.throws(() => storeFromUrl('redis://localhost', { waitReplicas: 0.5 }), { instanceOf: TypeError, message: /waitReplicas/ })
})

test('a store that was never used can be closed', async (t) => {
  const store = storeFromUrl(`redis://127.0.0.1:${await freePort()}`)
  await t.notThrowsAsync(store.close!())
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
  const worker = fork(new URL('support/url-worker.ts', import.meta.url), [scenario, url, JSON.stringify(newRecord())], {
    execArgv: ['--import=tsx', `--import=data:text/javascript,${encodeURIComponent(hide)}`]
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

function newRecord(): SessionRecord {
  const now = Date.now()
  return { rev: 1, id: randomBytes(32).toString('hex'), created: now, expires: now + 3_600_000, permanent: false, data: { user: 'momo' } }
}
