import { createRequire } from 'node:module'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { setTimeout as delay } from 'node:timers/promises'
import type { MaybePromise, SessionRecord } from '../../src/store/index.js'
import { session } from '../../src/index.js'
import { storeFromUrl } from '../../src/stores/from-url.js'
import { redisStore } from '../../src/stores/redis/index.js'

/** The work of a separate process for from-url.test.ts. The process ends by itself when nothing keeps it alive. */
const scenarios = { missing, imported, opened, faults }

export type Scenario = keyof typeof scenarios
export type Command = 'start' | 'kill' | 'pause' | 'resume'

const [, , name, url, record] = process.argv as [string, string, Scenario, string, string]
const told = await scenarios[name]()
process.send!({ told }, () => process.disconnect())

async function missing(): Promise<string> {
  try {
    storeFromUrl(url)
  } catch (error) {
    return String(error)
  }
  return 'no error'
}

async function imported(): Promise<unknown> {
  const { cache } = createRequire(import.meta.url)
  return [typeof redisStore, typeof storeFromUrl, Object.keys(cache).filter((path) => /node_modules.(@?redis|ioredis|knex|pg|mysql2|better-sqlite3|mongodb|memcache-client)\b/.test(path))]
}

/** The first warning after `session()` got the store, although there is no request. */
async function opened(): Promise<string> {
  const warned = once(process, 'warning')
  const server = createServer().listen(0)
  session({ store: storeFromUrl(url), keys: ['a secret of more than thirty-two characters'] })
  const [{ message }] = (await warned) as [Error]
  server.close()
  return message
}

async function faults(): Promise<unknown> {
  const store = storeFromUrl(url)
  const created = JSON.parse(record) as SessionRecord
  const { id } = created
  const read = () => timed(store.read(id))
  const down = [await read(), await read()]
  await ask('start')
  const started = await recovers(() => store.read(id))
  await store.create(id, created)
  await ask('kill')
  const killed = await read()
  await ask('start')
  const restarted = await recovers(() => store.read(id))
  await store.create(id, created)
  await ask('pause')
  const paused = await Promise.all([read(), timed(store.update(id, (current) => current)), timed(store.destroy(id))])
  const stillPaused = await read()
  await ask('resume')
  const resumed = await recovers(() => store.read(id))
  await store.close!()
  return { down, started, killed, restarted, paused, stillPaused, resumed }
}

/** The error of a call, and whether it came soon enough: after the driver's 1.5 s, and many more for a busy machine. */
async function timed(call: MaybePromise<unknown>): Promise<string> {
  const start = performance.now()
  const result = await Promise.resolve(call).then(() => 'answered', (error: { code?: string }) => error.code ?? 'an error without a code')
  return performance.now() - start < 20_000 ? result : `${result}, late`
}

async function recovers(call: () => MaybePromise<unknown>): Promise<boolean> {
  for (const end = Date.now() + 60_000; Date.now() < end; await delay(20)) {
    if ((await timed(call())) === 'answered') return true
  }
  return false
}

async function ask(command: Command): Promise<void> {
  process.send!({ command })
  await once(process, 'message')
}
