import { createRequire } from 'node:module'
import test, { type ExecutionContext } from 'ava'
import type * as IoRedis from 'ioredis'
import { redisStore, type RedisClient } from '../../../src/stores/redis/index.js'
import { recordEvents } from '../../support/events.js'
import { startProxy } from '../../support/proxy.js'
import { drivers } from '../../support/redis-drivers.js'
import { newRecord } from '../../support/new-record.js'
import { count, increment, keyOf, list, withKey } from '../../support/redis-records.js'
import { needsRedis, startRedis, until } from '../../support/redis.js'

const redisTest = needsRedis(test)
const require = createRequire(import.meta.url)

// ioredis as its users have it: it sends a command again when the connection breaks before the answer.
for (const name of ['ioredis', 'ioredis5']) {
  redisTest(`${name}: two increments of two processes make two, also when the answer to the first was lost and it is sent again`, async (t) => {
    const { network, store, other, record } = await start(t, name)
    const seen = (await store.read(record.id))!
    network.loseAnswers()
    const first = store.update(record.id, increment, seen)
    await until('the answer is lost', () => network.lost > 0)
    t.is((await other.update(record.id, increment))?.data['count'], 2)
    network.cut()
    t.is((await first)?.data['count'], 1)
    t.is(await count(other, record), 2)
    t.is((await store.update(record.id, increment))?.data['count'], 3, 'later updates go on')
  })

  redisTest(`${name}: a save that was carried out and is sent again is reported when nobody has written since`, async (t) => {
    const { network, store, record } = await start(t, name)
    network.loseAnswers()
    const saving = store.update(record.id, increment, record)
    await until('the answer is lost', () => network.lost > 0)
    network.cut()
    t.is((await saving)?.data['count'], 1)
    t.is(await count(store, record), 1)
  })

  redisTest(`${name}: a save that was carried out, and whose session was destroyed before it is sent again, is reported as saved and does not bring it back`, async (t) => {
    const { network, store, other, record } = await start(t, name)
    network.loseAnswers()
    const saving = store.update(record.id, increment, record)
    await until('the answer is lost', () => network.lost > 0)
    t.is((await other.destroy(record.id))?.data['count'], 1)
    network.cut()
    t.is((await saving)?.data['count'], 1)
    t.is(await other.read(record.id), undefined)
  })

  redisTest(`${name}: a save that is sent again fails when so many others have written since that nobody can know whether it was carried out`, async (t) => {
    const { server, network, store, open, record } = await start(t, name)
    network.loseAnswers()
    const saving = store.update(record.id, increment, record)
    await until('the answer is lost', () => network.lost > 0)
    const client = open(server.port)
    for (let at = 0; at < 9; at++) await redisStore({ client }).update(record.id, increment)
    network.cut()
    await t.throwsAsync(Promise.resolve(saving), { code: 'ERR_SESSION_STORE', message: /cannot tell whether the changes were saved/ })
    t.is(await count(redisStore({ client }), record), 10)
  })

  redisTest(`${name}: a removal that was carried out is reported as such when it is sent again`, async (t) => {
    const { network, store, other } = await start(t, name)
    for (const remove of [(id: string) => store.destroy(id), (id: string) => store.update(id, () => null)]) {
      const record = newRecord()
      await store.create(record.id, record)
      // Both read first.
      network.loseAnswers(/evalsha/i)
      const removing = Promise.resolve(remove(record.id))
      await until('the answer is lost', () => network.lost > 0)
      t.is(await other.destroy(record.id), undefined, 'for everybody else it is gone')
      network.cut()
      const removed = await removing
      if (removed !== null) t.deepEqual(removed, record)
      t.is(await store.destroy(record.id), undefined, 'only one removal finds it')
    }
  })

  redisTest(`${name}: a new session whose creation is sent again is created once`, async (t) => {
    const { network, store, other } = await start(t, name)
    for (const record of [newRecord(), newRecord({ user: 'lin' }, { owner: 'lin' })]) {
      network.loseAnswers()
      const creating = store.create(record.id, record)
      await until('the answer is lost', () => network.lost > 0)
      network.cut()
      t.true(await creating)
      t.deepEqual(await other.read(record.id), record)
      t.false(await other.create(record.id, newRecord({}, { id: record.id })))
    }
  })

  redisTest(`${name}: a new session whose creation is sent again is reported as created, also after others saved it, and is not brought back after a logout`, async (t) => {
    const { network, store, other } = await start(t, name)
    for (const logsOut of [false, true]) {
      const record = newRecord({ count: 0 })
      network.loseAnswers()
      const creating = store.create(record.id, record)
      await until('the answer is lost', () => network.lost > 0)
      await other.update(record.id, increment)
      if (logsOut) await other.destroy(record.id)
      network.cut()
      t.true(await creating)
      t.is((await other.read(record.id))?.data['count'], logsOut ? undefined : 1)
    }
  })
}

for (const driver of drivers) {
  redisTest(`${driver.name}: a save whose answer was lost counts at most once, and so does the save of another process`, async (t) => {
    const server = await startRedis()
    t.teardown(server.stop)
    const network = await startProxy(t, server.port)
    const [lossy, direct] = [await driver.connect(`redis://127.0.0.1:${network.port}`), await driver.connect(server.url)]
    t.teardown(lossy.close)
    t.teardown(direct.close)
    const [store, other] = [redisStore({ client: lossy.client }), redisStore({ client: direct.client })]
    const record = newRecord({ count: 0 })
    await store.create(record.id, record)
    await warmUp(store)
    network.loseAnswers()
    const first = Promise.resolve(store.update(record.id, increment, record)).catch((error: { code: string }) => error.code)
    await until('the answer is lost', () => network.lost > 0)
    t.is((await other.update(record.id, increment))?.data['count'], 2)
    network.cut()
    const answer = await first
    if (typeof answer === 'string') t.is(answer, 'ERR_SESSION_STORE', 'what cannot be known is an error')
    else t.is(answer?.data['count'], 1)
    t.is(await count(other, record), 2)
  })

  redisTest(`${driver.name}: a tombstone is no session, is not listed, is not corrupt and ends after a minute`, async (t) => {
    const events = recordEvents(t)
    const server = await startRedis()
    t.teardown(server.stop)
    const { client, close } = await driver.connect(server.url)
    t.teardown(close)
    const [store, other] = [redisStore({ client }), redisStore({ client })]
    const record = newRecord({}, { owner: 'momo' })
    await store.create(record.id, record)
    t.deepEqual(await store.destroy(record.id), record)
    t.regex(await server.cli('GET', keyOf(record)), /^\{"removed":"[a-z0-9 -]+"\}\n$/)
    const ttl = Number(await server.cli('PTTL', keyOf(record)))
    t.true(ttl > 50_000 && ttl <= 60_000)
    for (const each of [store, other]) {
      t.is(await each.read(record.id), undefined)
      t.is(await each.update(record.id, withKey('a', 1), record), undefined)
      t.is(await each.destroy(record.id), undefined)
      t.deepEqual(await list(each.records?.()), [])
      t.deepEqual(await list(each.ownedBy?.('momo')), [])
    }
    t.deepEqual(events.filter(({ id }) => id === record.id), [])
  })
}

async function start(t: ExecutionContext, name: string) {
  const server = await startRedis()
  t.teardown(server.stop)
  const network = await startProxy(t, server.port)
  const { Redis } = require(name) as typeof IoRedis
  const open = (port: number): RedisClient => {
    const client = new Redis(port, '127.0.0.1')
    t.teardown(() => client.disconnect())
    return client
  }
  const [store, other] = [redisStore({ client: open(network.port) }), redisStore({ client: open(server.port) })]
  await warmUp(store)
  await warmUp(other)
  const record = newRecord({ count: 0 })
  await store.create(record.id, record)
  return { server, network, open, store, other, record }
}

/** Lets the server know the scripts, and the driver the server: a lost answer is then the one to the command that the test means. */
async function warmUp(store: ReturnType<typeof redisStore>): Promise<void> {
  const record = newRecord({ count: 0 }, { owner: 'nobody' })
  await store.create(record.id, record)
  await store.update(record.id, increment)
  await store.destroy(record.id)
}
