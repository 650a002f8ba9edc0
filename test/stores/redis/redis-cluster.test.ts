import { randomBytes } from 'node:crypto'
import test from 'ava'
import { redisStore } from '../../../src/stores/redis/index.js'
import type { SessionRecord } from '../../../src/store/index.js'
import { storeConformance } from '../../../src/testing/index.js'
import { drivers, type Connected } from '../../support/redis-drivers.js'
import { newRecord } from '../../support/new-record.js'
import { textsOf } from '../../support/redis-texts.js'
import { needsRedis, startCluster, type RedisServer } from '../../support/redis.js'

const redisTest = needsRedis(test)

let cluster: Awaited<ReturnType<typeof startCluster>>
const clients = new Map<string, Connected>()

redisTest.before(async () => {
  cluster = await startCluster(1)
  const ports = cluster.servers.map(({ port }) => port)
  for (const driver of drivers) clients.set(driver.name, await driver.connectCluster(ports))
})
redisTest.after.always(async () => {
  for (const { close } of clients.values()) close()
  await cluster?.stop()
})

for (const { name } of drivers) {
  const connected = () => clients.get(name)!.client

  storeConformance(
    (title, run) => redisTest(`a cluster, ${name}: ${title}`, run),
    (scope) => ({ store: redisStore({ client: connected() }).scope!(scope), ...textsOf(connected(), scope) }),
    { parallel: 100 }
  )

  // Alone, because they look at what the whole cluster holds, or stop parts of it.
  redisTest.serial(`a cluster, ${name}: sessions are on every master, and records() lists them all`, async (t) => {
    const scope = { prefix: `spread-${randomBytes(4).toString('hex')}:`, now: Date.now, largest: 10_000 }
    const store = redisStore({ client: connected() }).scope!(scope)
    const ids: string[] = []
    for (let at = 0; at < 60; at++) {
      const record = newRecord()
      await store.create(record.id, record)
      ids.push(record.id)
    }
    const found = await Promise.all(cluster.servers.slice(0, 3).map(async ({ cli }) => (await cli('KEYS', `${scope.prefix}*`)).split('\n').filter(Boolean).length))
    t.true(found.every((count) => count > 0), `keys on the masters: ${found.join(', ')}`)
    const listed: string[] = []
    for await (const { id } of store.records!()) listed.push(id)
    t.deepEqual(listed.sort(), ids.sort())
  })

  redisTest.serial(`a cluster, ${name}: with waitReplicas a removal is confirmed by the replica of the key's own master`, async (t) => {
    const store = redisStore({ client: connected(), waitReplicas: 1 })
    for (let at = 0; at < 12; at++) {
      const record = newRecord()
      await store.create(record.id, record)
      t.deepEqual(await store.destroy(record.id), record)
      const left = await Promise.all(cluster.servers.map(({ cli }) => cli('GET', `session:${record.id}`)))
      t.deepEqual(left.filter((text) => !text.startsWith('MOVED') && !text.startsWith('{"removed":')), [])
    }
  })

  redisTest.serial(`a cluster, ${name}: a removal that no replica confirms in time is an error, though it is done`, async (t) => {
    const store = redisStore({ client: connected(), waitReplicas: 1, waitTimeout: 100 })
    const replicas = cluster.servers.slice(3)
    const record = newRecord()
    await store.create(record.id, record)
    for (const replica of replicas) replica.pause()
    try {
      await t.throwsAsync(async () => store.destroy(record.id), { code: 'ERR_SESSION_STORE', message: /only 0 of 1 replicas confirmed it within 100 ms/ })
      t.is(await store.read(record.id), undefined)
      await t.throwsAsync(async () => store.destroy(record.id), { message: /0 of 1/ }, 'asking again does not make it safe')
      const other = [...clients.values()].find(({ client }) => client !== connected())
      const elsewhere = redisStore({ client: other!.client, waitReplicas: 1, waitTimeout: 100 })
      await t.throwsAsync(async () => elsewhere.destroy(record.id), { message: /0 of 1/ }, 'nor does asking in another process')
    } finally {
      for (const replica of replicas) replica.resume()
    }
  })
}

redisTest.serial('a cluster: a session is reached while its slot moves to another master', async (t) => {
  const [from, to] = cluster.servers as [RedisServer, RedisServer]
  const ids = await Promise.all([from, to].map(({ cli }) => cli('CLUSTER', 'MYID')))
  const [fromId, toId] = ids.map((id) => id.trim()) as [string, string]
  for (const { name } of drivers) {
    const store = redisStore({ client: clients.get(name)!.client })
    const { record, slot } = await recordOn(from)
    const key = `session:${record.id}`
    await store.create(record.id, record)
    await to.cli('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId)
    await from.cli('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId)
    t.is((await store.update(record.id, (current) => current))?.rev, 2, `${name}: before the key moves`)
    await from.cli('MIGRATE', '127.0.0.1', String(to.port), key, '0', '1000')
    t.is((await store.read(record.id))?.rev, 2, `${name}: while the slot is in two places`)
    t.is((await store.update(record.id, (current) => current))?.rev, 3, name)
    for (const { cli } of [to, from, cluster.servers[2]!]) await cli('CLUSTER', 'SETSLOT', slot, 'NODE', toId)
    t.is((await store.update(record.id, (current) => current))?.rev, 4, `${name}: after the slot has moved`)
    t.is((await store.destroy(record.id))?.rev, 4, name)
  }
})

/** A record whose key is in a slot of that master. */
async function recordOn(server: RedisServer): Promise<{ record: SessionRecord; slot: string }> {
  for (;;) {
    const record = newRecord()
    const key = `session:${record.id}`
    const slot = (await server.cli('CLUSTER', 'KEYSLOT', key)).trim()
    if (!(await server.cli('GET', key)).startsWith('MOVED')) return { record, slot }
  }
}
