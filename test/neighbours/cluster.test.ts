import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { Client } from '../support/client.js'
import { runTypeScript } from '../support/typescript/option.js'

test('the workers of a cluster share sessions in files: counts are exact, and a login survives the worker that made it', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'keepsake-cluster-'))
  cluster.setupPrimary({ exec: fileURLToPath(new URL('cluster-worker.ts', import.meta.url)), execArgv: [runTypeScript], args: [dir] })
  const workers: Worker[] = [cluster.fork(), cluster.fork()]
  t.teardown(async () => {
    for (const worker of workers) worker.process.kill('SIGKILL')
    await Promise.all(workers.filter((worker) => !worker.isDead()).map((worker) => once(worker, 'exit')))
    rmSync(dir, { recursive: true })
  })
  const addresses = await Promise.all(workers.map(async (worker) => ((await once(worker, 'listening')) as [{ port: number }])[0]))
  t.is(addresses[0]!.port, addresses[1]!.port, 'they share a port')
  const client = new Client(`http://127.0.0.1:${addresses[0]!.port}`)

  const { pid: first } = (await client.post('/login')).json as { pid: number }
  // The primary hands connections to the workers in turn.
  const counted = await Promise.all(Array.from({ length: 40 }, async () => ((await client.get('/count')).json as { pid: number }).pid))
  t.is(new Set(counted).size, 2, 'both have counted')
  t.deepEqual(await me(client), { owner: 'momo', n: 40 })

  const owner = workers.find((worker) => worker.process.pid === first)!
  const exit = once(owner, 'exit')
  owner.process.kill('SIGKILL')
  await exit
  // The client may still keep a connection to the dead worker.
  const alive = await me(client).catch(() => me(client))
  t.deepEqual(alive, { owner: 'momo', n: 40 })
  await client.post('/logout')
  t.deepEqual(await me(client), { owner: null, n: null })
})

async function me(client: Client): Promise<unknown> {
  const { owner, n } = (await client.get('/me')).json as { owner: unknown; n: unknown }
  return { owner, n }
}
