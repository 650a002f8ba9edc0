import { fork } from 'node:child_process'
import { once } from 'node:events'
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import test, { type ExecutionContext } from 'ava'
import { storeFromUrl } from '../../src/index.js'
import { Client } from '../support/client.js'
import { idOf } from '../support/events.js'
import { tempDir } from '../support/files.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { runTypeScript } from '../support/typescript/option.js'

const server = fileURLToPath(new URL('shutdown-server.ts', import.meta.url))
const browsers = 12
/** So many requests are acknowledged before the signal. */
const before = 300
/** How long a process may take to end, in milliseconds. It has no more to do than to answer the requests that it has. */
const longest = 30_000

/** What a browser knows to be stored. */
interface Acknowledged {
  cookie: string | undefined
  count: number
}

const stores: readonly (readonly [name: string, test: typeof test, start: (t: ExecutionContext) => Promise<string>])[] = [
  ['files', test, async (t) => `file:${path.join(tempDir(t), 'sessions')}`],
  ['SQLite', test, async (t) => `sqlite:${path.join(tempDir(t), 'sessions.db')}`],
  ['Redis', needsRedis(test), async (t) => {
    const redis = await startRedis()
    t.teardown(() => redis.stop())
    return redis.url
  }]
]

for (const [name, tests, start] of stores) {
  tests(`${name}: a process that gets SIGTERM under load, on connections that its clients keep, ends by itself with 0, soon, and everything that it acknowledged is stored`, async (t) => {
    const url = await start(t)
    const child = fork(server, [url], { execArgv: [runTypeScript] })
    t.teardown(() => child.kill('SIGKILL'))
    const exit = once(child, 'exit') as Promise<[code: number | null, signal: string | null]>
    const [origin] = (await once(child, 'message')) as [string]

    let acknowledged = 0
    const enough = new AbortController()
    const work = Array.from({ length: browsers }, async (_, at): Promise<Acknowledged> => {
      const client = new Client(origin)
      const known: Acknowledged = { cookie: undefined, count: 0 }
      for (;;) {
        // The server closes connections, and then nobody listens.
        const answer = await client.get(at % 2 === 0 ? '/' : '/login').catch(() => undefined)
        if (!answer) return known
        t.is(answer.status, 200)
        Object.assign(known, { cookie: client.cookie('session'), count: Number(answer.text) })
        if (++acknowledged === before) enough.abort()
      }
    })
    // Koa removes every header from the answer to an error.
    const failures = Array.from({ length: 2 }, async () => {
      for (let status: number | undefined = 503; status === 503; ) status = await new Client(origin).get('/fail').then((answer) => answer.status, () => undefined)
    })
    await Promise.race([once(enough.signal, 'abort'), exit])
    child.kill('SIGTERM')
    const signalled = performance.now()
    t.deepEqual(await Promise.race([exit, once(AbortSignal.timeout(longest), 'abort').then(() => 'it does not end')]), [0, null])
    t.log(`${acknowledged} requests were acknowledged; it ended after ${Math.round(performance.now() - signalled)} ms`)
    t.true(acknowledged >= before)
    const all = await Promise.all(work)
    await Promise.all(failures)

    const store = storeFromUrl(url)
    for (const { cookie, count } of all) {
      const record = await store.read(idOf(cookie!))
      // The last request may have been carried out without an answer. (A login that nobody saw replaces the sid.)
      if (record && !record.moved) t.true(record.data['count'] === count || record.data['count'] === count + 1, `${JSON.stringify(record.data)} after ${count}`)
      else t.true(all.indexOf(all.find((each) => each.cookie === cookie)!) % 2 === 1, 'only a login ends a session')
    }
    await store.close?.()
  })
}
