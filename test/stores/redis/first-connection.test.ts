import { createRequire } from 'node:module'
import test, { type ExecutionContext } from 'ava'
import type * as IoRedis from 'ioredis'
import type * as NodeRedis from 'redis'
import { redisStore, type RedisClient } from '../../../src/stores/redis/index.js'
import type { SessionStore } from '../../../src/store/index.js'
import { startProxy } from '../../support/proxy.js'
import { newRecord } from '../../support/new-record.js'
import { freePort, needsRedis, startCluster, startRedis, until } from '../../support/redis.js'
import { recordWarnings } from '../../support/warnings.js'

const redisTest = needsRedis(test)
const require = createRequire(import.meta.url)

/** Clients as applications make them, when they want no queue while Redis is away. Nobody waits until they are connected. */
const openers: { [name: string]: (t: ExecutionContext, port: number) => RedisClient } = {
  redis: openNodeRedis('redis'),
  redis5: openNodeRedis('redis5'),
  redis4: openNodeRedis('redis4'),
  ioredis: openIoRedis('ioredis', {}),
  ioredis5: openIoRedis('ioredis5', {}),
  'ioredis with lazyConnect': openIoRedis('ioredis', { lazyConnect: true }),
  'ioredis5 with lazyConnect': openIoRedis('ioredis5', { lazyConnect: true })
}

for (const [name, open] of Object.entries(openers)) {
  redisTest.serial(`${name}: the first calls after the start wait for the first connection`, async (t) => {
    const server = await startRedis()
    t.teardown(server.stop)
    const network = await startProxy(t, server.port)
    network.hold()
    const store = redisStore({ client: open(t, network.port) })
    const records = Array.from({ length: 5 }, () => newRecord())
    const calls = records.map(async (record) => store.create(record.id, record))
    await until('the client says hello', () => network.held > 0)
    network.release()
    t.deepEqual(await Promise.all(calls), [true, true, true, true, true])
    t.deepEqual(await store.read(records[0]!.id), records[0])
  })

  redisTest.serial(`${name}: while Redis is down from the start, calls fail at once, say where it should be, and one warning says so for all stores`, async (t) => {
    const port = await freePort()
    const warnings = recordWarnings(t, new RegExp(`:${port}\\b`))
    const client = open(t, port)
    const stores = [redisStore({ client }), redisStore({ client })]
    const start = performance.now()
    for (const store of [...stores, ...stores]) {
      await t.throwsAsync(async () => store.read(newRecord().id), { code: 'ERR_SESSION_STORE', message: new RegExp(`cannot reach Redis at (127\\.0\\.0\\.1|localhost):${port}`) })
    }
    // If each had waited for a connection, it would be six seconds.
    t.true(performance.now() - start < 4000)
    await until('the driver has tried again', () => warnings.length > 0)
    t.is(warnings.length, 1)
    t.regex(warnings[0]!, /^redisStore: cannot reach Redis at (127\.0\.0\.1|localhost):\d+: connect ECONNREFUSED/)
  })

  redisTest(`${name}: each outage is warned of once, and a store works again after it`, async (t) => {
    const server = await startRedis()
    t.teardown(server.stop)
    const warnings = recordWarnings(t, new RegExp(`:${server.port}\\b`))
    const store = redisStore({ client: open(t, server.port) })
    const works = () => until('the store works', async () => (await store.read(newRecord().id)) === undefined)
    await works()
    for (const outages of [1, 2]) {
      await server.kill()
      await until('the outage is noticed', () => warnings.length === outages)
      await server.start()
      await works()
    }
    t.is(warnings.length, 2)
  })
}

for (const name of ['redis', 'redis5', 'redis4']) {
  redisTest.serial(`${name}: calls wait for the first connection, too, if an earlier one came before connect()`, async (t) => {
    const server = await startRedis()
    t.teardown(server.stop)
    const client = require(name).createClient({ url: `redis://127.0.0.1:${server.port}`, disableOfflineQueue: true }) as NodeRedis.RedisClientType
    const store = redisStore({ client })
    await t.throwsAsync(async () => store.read(newRecord().id), { code: 'ERR_SESSION_STORE' })
    void client.connect()
    t.teardown(async () => client.quit())
    t.is(await store.read(newRecord().id), undefined)
  })
}

redisTest.serial('a server that takes the connection and then does not answer delays only the first calls, and not for long', async (t) => {
  const server = await startRedis()
  t.teardown(server.stop)
  const network = await startProxy(t, server.port)
  network.hold()
  for (const name of ['redis', 'ioredis']) {
    const store = redisStore({ client: openers[name]!(t, network.port) })
    const start = performance.now()
    await t.throwsAsync(async () => store.read(newRecord().id), { code: 'ERR_SESSION_STORE', message: /cannot reach Redis at 127\.0\.0\.1:\d+/ })
    t.true(performance.now() - start < 15_000, name)
    const again = performance.now()
    await t.throwsAsync(async () => store.read(newRecord().id), { code: 'ERR_SESSION_STORE' })
    // They would wait for 1.5 s.
    t.true(performance.now() - again < 1400, `${name}: later calls do not wait`)
  }
})

redisTest('clusters: the first calls after the start wait until the nodes are known', async (t) => {
  const { servers, stop } = await startCluster()
  t.teardown(stop)
  const ports = servers.map(({ port }) => port)
  for (const name of ['redis', 'redis5', 'redis4']) {
    const { createCluster } = require(name) as typeof NodeRedis
    const client = createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })), defaults: { disableOfflineQueue: true } })
    client.on('error', () => undefined)
    void client.connect()
    await showWorks(t, redisStore({ client }), name)
    await client.close?.()
    if (!client.close) await (client as { disconnect(): Promise<void> }).disconnect()
  }
  for (const name of ['ioredis', 'ioredis5']) {
    const { Cluster } = require(name) as typeof IoRedis
    const client = new Cluster(ports.map((port) => ({ host: '127.0.0.1', port })), { enableOfflineQueue: false })
    await showWorks(t, redisStore({ client }), name)
    client.disconnect()
  }
})

async function showWorks(t: ExecutionContext, store: SessionStore, name: string): Promise<void> {
  const record = newRecord()
  t.true(await store.create(record.id, record), name)
  t.deepEqual(await store.read(record.id), record, name)
}

function openNodeRedis(name: string) {
  return (t: ExecutionContext, port: number): RedisClient => {
    const { createClient } = require(name) as typeof NodeRedis
    const client = createClient({ url: `redis://127.0.0.1:${port}`, disableOfflineQueue: true, socket: { reconnectStrategy: 20 } })
    // The application listens to errors, as node-redis asks for.
    client.on('error', () => undefined).connect().catch(() => undefined)
    t.teardown(() => (client.destroy ? client.destroy() : void (client as { disconnect(): Promise<void> }).disconnect().catch(() => undefined)))
    return client
  }
}

function openIoRedis(name: string, options: object) {
  return (t: ExecutionContext, port: number): RedisClient => {
    const { Redis } = require(name) as typeof IoRedis
    const client = new Redis(port, '127.0.0.1', { enableOfflineQueue: false, retryStrategy: () => 20, ...options })
    t.teardown(() => client.disconnect())
    return client
  }
}
