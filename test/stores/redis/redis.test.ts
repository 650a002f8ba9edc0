import { inspect } from 'node:util'
import test from 'ava'
import { SessionError } from '../../../src/errors.js'
import { redisStore, type RedisClient, type RedisStoreOptions } from '../../../src/stores/redis/index.js'
import type { SessionStore } from '../../../src/store/index.js'
import type { Cleanup } from '../../support/app.js'
import { recordEvents } from '../../support/events.js'
import { drivers, type Driver } from '../../support/redis-drivers.js'
import { newRecord } from '../../support/new-record.js'
import { increment, keyOf, list as listOf, withKey } from '../../support/redis-records.js'
import { commandCounts, needsRedis, startRedis, until, type RedisServer } from '../../support/redis.js'

const redisTest = needsRedis(test)

for (const driver of drivers) {
  const title = (guarantee: string) => `${driver.name}: ${guarantee}`

  redisTest.serial(title('a read, a new record and an uncontended save cost one command each, and a removal two'), async (t) => {
    const { server, store } = await start(t, driver)
    const record = newRecord()
    const counted = async (work: () => unknown) => {
      await server.cli('CONFIG', 'RESETSTAT')
      await work()
      return commandCounts(server)
    }
    await store.create(newRecord().id, newRecord())
    t.deepEqual(await counted(() => store.create(record.id, record)), { set: 1 })
    t.deepEqual(await counted(() => store.read(record.id)), { get: 1 })
    // What a script does inside counts as well, but is no round trip.
    await store.update(record.id, (current) => current)
    const seen = await store.read(record.id)
    t.deepEqual(await counted(() => store.update(record.id, withKey('a', 1), seen)), { evalsha: 1, get: 1, set: 1 })
    t.deepEqual(await counted(() => store.destroy(record.id)), { get: 2, evalsha: 1, del: 1, set: 1 })
  })

  redisTest.serial(title('a lost race costs one more round trip, not a read besides'), async (t) => {
    const { server, store } = await start(t, driver)
    const record = newRecord()
    await store.create(record.id, record)
    const stale = await store.read(record.id)
    await store.update(record.id, withKey('theirs', 1), stale)
    await server.cli('CONFIG', 'RESETSTAT')
    const written = await store.update(record.id, withKey('ours', 2), stale)
    t.deepEqual(written?.data, { user: 'momo', theirs: 1, ours: 2 })
    t.like(await commandCounts(server), { evalsha: 2, get: 2, set: 1 })
  })

  redisTest.serial(title('a key lives two minutes longer than the record in it: one for requests in progress, and one for clocks that differ'), async (t) => {
    const { server, store } = await start(t, driver)
    const record = newRecord({}, { expires: Date.now() + 100_000 })
    const ttl = async () => Number(await server.cli('PTTL', keyOf(record)))
    await store.create(record.id, record)
    t.true((await ttl()) > 215_000 && (await ttl()) <= 220_000)
    await store.update(record.id, (current) => ({ ...current, expires: current.expires + 100_000 }))
    t.true((await ttl()) > 315_000 && (await ttl()) <= 320_000)
  })

  redisTest.serial(title("an application's clock need not agree with the server's"), async (t) => {
    const { store } = await start(t, driver)
    for (const offset of [-400, 400]) {
      const now = () => Date.now() + offset * 86_400_000
      const skewed = store.scope!({ prefix: `skewed${offset}:`, now, largest: 1000 })
      const record = newRecord({}, { created: now(), used: now(), expires: now() + 60_000 })
      await skewed.create(record.id, record)
      t.deepEqual(await skewed.read(record.id), record)
    }
  })

  redisTest.serial(title('a save works on a server that has forgotten the script'), async (t) => {
    const { server, store } = await start(t, driver)
    const record = newRecord()
    await store.create(record.id, record)
    t.is((await store.update(record.id, withKey('a', 1)))?.rev, 2)
    await server.cli('SCRIPT', 'FLUSH')
    t.is((await store.update(record.id, withKey('a', 2)))?.rev, 3)
  })

  redisTest.serial(title('a command that the driver sends twice counts once'), async (t) => {
    const { client } = await start(t, driver)
    const store = redisStore({ client: sendingTwice(client) })
    const record = newRecord({ count: 0 })
    t.true(await store.create(record.id, record))
    for (let count = 1; count <= 3; count++) {
      t.is((await store.update(record.id, increment))?.data['count'], count)
    }
    t.is((await store.read(record.id))?.data['count'], 3)
    // Two equal changes at once are two changes, though.
    const [one, other] = [redisStore({ client }), redisStore({ client })]
    const seen = await one.read(record.id)
    await Promise.all([one.update(record.id, increment, seen), other.update(record.id, increment, seen)])
    t.is((await store.read(record.id))?.data['count'], 5)
  })

  redisTest.serial(title('a text that is not a record counts as missing, is reported and stays as it is'), async (t) => {
    const { server, store } = await start(t, driver)
    const events = recordEvents(t)
    const other = newRecord()
    const texts = ['', 'garbage', '[]', '1', '{"rev":1,', '\u0000', JSON.stringify(other), JSON.stringify({ ...other, rev: 0 })]
    for (const text of texts) {
      const record = newRecord()
      await (text.includes('\u0000') ? server.cli('SETBIT', keyOf(record), '5', '0') : server.cli('SET', keyOf(record), text))
      const stored = await server.cli('GET', keyOf(record))
      t.is(await store.read(record.id), undefined, text)
      t.is(await store.update(record.id, withKey('a', 1), record), undefined, text)
      t.is(await store.destroy(record.id), undefined, text)
      t.is(events.filter(({ type, id }) => type === 'corrupt' && id === record.id).length, 3, text)
      t.false(await store.create(record.id, record), text)
      t.is(await server.cli('GET', keyOf(record)), stored, text)
    }
  })

  redisTest.serial(title('a record that was written by hand, laid out in another way, is saved like any other'), async (t) => {
    const { server, store } = await start(t, driver)
    const record = newRecord({ count: 0 })
    const { rev, ...rest } = record
    await server.cli('SET', keyOf(record), JSON.stringify({ ...rest, rev }, null, 2))
    const seen = await store.read(record.id)
    t.deepEqual(seen, record)
    t.is((await store.update(record.id, increment, seen))?.data['count'], 1)
    await server.cli('SET', keyOf(record), JSON.stringify({ ...rest, rev }, null, 2))
    t.is((await store.update(record.id, increment))?.data['count'], 1)
    // Characters that JSON.stringify would write in another way.
    await server.cli('SET', keyOf(record), JSON.stringify({ ...record, write: 'by hand' }).replace('by hand', 'b\\u0079 hand'))
    t.is((await store.update(record.id, increment))?.data['count'], 1)
    await server.cli('SET', keyOf(record), JSON.stringify({ ...rest, rev }, null, 2))
    t.deepEqual(await store.destroy(record.id), record)
  })

  redisTest.serial(title('a key that holds another type counts as missing and stays as it is'), async (t) => {
    const { server, store } = await start(t, driver)
    const events = recordEvents(t)
    const record = newRecord()
    await server.cli('RPUSH', keyOf(record), 'one')
    t.is(await store.read(record.id), undefined)
    t.is(await store.update(record.id, withKey('a', 1), record), undefined)
    t.is(await store.destroy(record.id), undefined)
    t.false(await store.create(record.id, record))
    t.deepEqual(await list(store), [])
    t.is(await server.cli('LRANGE', keyOf(record), '0', '-1'), 'one\n')
    t.true(events.some(({ type, id }) => type === 'corrupt' && id === record.id))
  })

  redisTest.serial(title('a reply with the record of another session is never returned'), async (t) => {
    const { client, store } = await start(t, driver)
    const theirs = newRecord({ user: 'theirs' })
    await store.create(theirs.id, theirs)
    const swapped = redisStore({ client: answering(client, 'get', await client.get(keyOf(theirs))) })
    t.is(await swapped.read(newRecord().id), undefined)
    t.deepEqual((await swapped.read(theirs.id))?.data, { user: 'theirs' })
  })

  redisTest.serial(title('a full Redis refuses a save with an error that says what to do, and logging out still works'), async (t) => {
    const { server, store } = await start(t, driver, {}, '--maxmemory-policy', 'noeviction')
    const [kept, leaving, emptied] = [newRecord(), newRecord(), newRecord({ only: 1 })]
    for (const record of [kept, leaving, emptied]) await store.create(record.id, record)
    await server.cli('CONFIG', 'SET', 'maxmemory', '1mb')
    const expected = { instanceOf: SessionError, code: 'ERR_SESSION_STORE', message: /OOM.*raise maxmemory/ }
    await t.throwsAsync(async () => store.update(kept.id, withKey('a', 'b'.repeat(1000))), expected)
    await t.throwsAsync(async () => store.create(newRecord().id, newRecord()), expected)
    t.deepEqual(await store.read(kept.id), kept)
    t.deepEqual(await store.destroy(leaving.id), leaving)
    t.is(await store.read(leaving.id), undefined)
    t.is(await store.update(emptied.id, () => null), null)
    await server.cli('CONFIG', 'SET', 'maxmemory', '0')
    t.is((await store.update(kept.id, withKey('a', 1)))?.rev, 2)
  })

  redisTest.serial(title('an evicted session is gone, and a save does not bring it back'), async (t) => {
    const { server, store } = await start(t, driver)
    const record = newRecord()
    await store.create(record.id, record)
    await server.cli('DEL', keyOf(record))
    t.is(await store.update(record.id, withKey('a', 1), record), undefined)
    t.is(await store.read(record.id), undefined)
  })

  redisTest.serial(title('a replica refuses a save with an error that says where to connect, and shows no data'), async (t) => {
    const { server, store } = await start(t, driver)
    const record = newRecord({ secret: 'only the user knows' })
    await store.create(record.id, record)
    // Nobody is there to follow: it keeps what it has and refuses writes.
    await server.cli('REPLICAOF', '127.0.0.1', '1')
    for (const work of [() => store.update(record.id, withKey('secret', 'only the user knows'), record), () => store.destroy(record.id)]) {
      const error = await t.throwsAsync(async () => work(), { instanceOf: SessionError, code: 'ERR_SESSION_STORE', message: /READONLY.*connect to the master/ })
      t.false(inspect(error, { depth: 10 }).includes('only the user knows'))
    }
    t.deepEqual(await store.read(record.id), record)
  })

  redisTest.serial(title('the error for a client without its password or without rights says what is missing'), async (t) => {
    const { server, store } = await start(t, driver)
    await server.cli('ACL', 'SETUSER', 'app', 'on', '>pw', '~session:*', '+get', '+hello', '+client', '+info', '+ping', '+select')
    const { client, close } = await driver.connect(server.url.replace('//', '//app:pw@'))
    t.teardown(close)
    const limited = redisStore({ client })
    t.is(await limited.read(newRecord().id), undefined)
    await t.throwsAsync(async () => limited.create(newRecord().id, newRecord()), { code: 'ERR_SESSION_STORE', message: /NOPERM.*allow the Redis user/ })
    await server.cli('ACL', 'SETUSER', 'app', '+set', '+del', '+eval', '+evalsha', '+scan')
    const [one, two] = [newRecord(), newRecord()]
    for (const record of [one, two]) t.true(await limited.create(record.id, record))
    t.is((await limited.update(one.id, withKey('a', 1)))?.rev, 2)
    t.is(await limited.update(one.id, () => null), null)
    t.deepEqual(await list(limited), [two])
    t.deepEqual(await limited.destroy(two.id), two, 'these are all the rights it takes')
    await server.cli('ACL', 'SETUSER', 'app', '+time', '+zadd', '+zrem', '+zremrangebyscore', '+zscan', '+pexpire', '+pttl')
    const owned = newRecord({}, { owner: 'momo' })
    t.true(await limited.create(owned.id, owned))
    t.deepEqual(await listOf(limited.ownedBy!('momo')), [owned])
    t.deepEqual(await limited.destroy(owned.id), owned, 'and these are for owners')
    await t.throwsAsync(async () => redisStore({ client: answering(client, 'get', new Error('NOAUTH Authentication required.')) }).read(newRecord().id), {
      message: /NOAUTH.*password/
    })
    t.is(await store.read(newRecord().id), undefined, 'a connection that is open stays so')
  })

  redisTest.serial(title('records() lists each record of a prefix with any characters once'), async (t) => {
    const { server, store } = await start(t, driver)
    const prefixes = ['a*[b]?\\c:', 'a*', 'axxbxc:', 'a:', 'a:b:', '']
    for (const prefix of prefixes) {
      const scoped = store.scope!({ prefix, now: Date.now, largest: 10_000 })
      const records = Array.from({ length: 3 }, () => newRecord({ prefix }))
      for (const record of records) await scoped.create(record.id, record)
    }
    await server.cli('SET', 'a:note', 'not a session')
    const owned = newRecord({ prefix: 'a:' }, { owner: 'momo' })
    await store.scope!({ prefix: 'a:', now: Date.now, largest: 10_000 }).create(owned.id, owned)
    for (const prefix of prefixes) {
      const listed = await list(store.scope!({ prefix, now: Date.now, largest: 10_000 }))
      const expected = Array.from({ length: prefix === 'a:' ? 4 : 3 }, () => prefix)
      t.deepEqual(listed.map(({ data }) => data['prefix']), expected, prefix)
    }
  })

  redisTest.serial(title('records() lists many pages'), async (t) => {
    const { store } = await start(t, driver)
    const records = Array.from({ length: 2500 }, () => newRecord())
    await Promise.all(records.map(async (record) => store.create(record.id, record)))
    const listed = await list(store)
    t.deepEqual(listed.map(({ id }) => id).sort(), records.map(({ id }) => id).sort())
  })

  redisTest.serial(title("closing the store leaves the application's client open"), async (t) => {
    const { client, store } = await start(t, driver)
    await store.close!()
    await store.close!()
    await t.throwsAsync(async () => store.read(newRecord().id), { code: 'ERR_SESSION_STORE', message: /closed/ })
    t.is(await client.get('nothing'), null)
  })
}

redisTest.serial("a driver's own key prefix is part of every key and of the listing", async (t) => {
  const server = await startRedis()
  t.teardown(server.stop)
  const { Redis } = await import('ioredis')
  const { createClient } = await import('redis')
  const io = new Redis(server.url, { keyPrefix: 'io:' })
  const node = await createClient({ url: server.url, keyPrefix: 'node:' }).connect()
  t.teardown(() => io.disconnect())
  t.teardown(() => node.destroy())
  for (const [own, client] of [['io:', io], ['node:', node]] as const) {
    const store = redisStore({ client })
    const record = newRecord()
    await store.create(record.id, record)
    await store.update(record.id, withKey('a', 1))
    t.is(await server.cli('EXISTS', own + keyOf(record)), '1\n')
    t.deepEqual((await list(store)).map(({ id, data }) => ({ id, data })), [{ id: record.id, data: { ...record.data, a: 1 } }])
    t.is((await store.destroy(record.id))?.rev, 2)
  }
})

redisTest.serial('with a pool of connections a removal is confirmed by the one that carried it', async (t) => {
  const master = await startRedis('--repl-diskless-sync-delay', '0')
  const replica = await startRedis('--replicaof', '127.0.0.1', String(master.port))
  t.teardown(master.stop)
  t.teardown(replica.stop)
  await until('the replica follows', async () => (await replica.cli('INFO', 'replication')).includes('master_link_status:up'))
  const { createClientPool } = await import('redis')
  const pool = createClientPool({ url: master.url }, { minimum: 4 })
  await pool.connect()
  t.teardown(() => pool.destroy())
  const store = redisStore({ client: pool, waitReplicas: 1 })
  for (let at = 0; at < 10; at++) {
    const record = newRecord()
    await store.create(record.id, record)
    t.deepEqual(await store.destroy(record.id), record)
    t.regex(await replica.cli('GET', keyOf(record)), /^\{"removed":/)
  }
  replica.pause()
  const record = newRecord()
  await store.create(record.id, record)
  await t.throwsAsync(async () => redisStore({ client: pool, waitReplicas: 1, waitTimeout: 50 }).destroy(record.id), { code: 'ERR_SESSION_STORE', message: /only 0 of 1 replicas confirmed/ })
})

redisTest.serial('a Redis that evicts sessions without regard is warned of once', async (t) => {
  const warnings: string[] = []
  const listener = (warning: Error) => void (warning.name === 'SessionWarning' && warnings.push(warning.message))
  process.on('warning', listener)
  t.teardown(() => process.off('warning', listener))
  for (const driver of drivers) {
    for (const [policy, expected] of [['allkeys-lru', 1], ['allkeys-random', 1], ['noeviction', 0]] as const) {
      warnings.length = 0
      const { server, store } = await start(t, driver, {}, '--maxmemory-policy', policy)
      for (let at = 0; at < 3; at++) await store.read(newRecord().id)
      await until('the policy was asked for', async () => (await server.cli('INFO', 'commandstats')).includes('config|get'))
      await store.read(newRecord().id)
      await new Promise(setImmediate)
      t.is(warnings.length, expected, `${driver.name} ${policy}`)
      if (expected) t.regex(warnings[0]!, new RegExp(`${policy}.*logged out`))
    }
    warnings.length = 0
    const { server } = await start(t, driver, {}, '--maxmemory-policy', 'allkeys-lru')
    await server.cli('ACL', 'SETUSER', 'app', 'on', '>pw', 'allkeys', '+@all', '-config')
    const { client, close } = await driver.connect(server.url.replace('//', '//app:pw@'))
    t.teardown(close)
    const store = redisStore({ client })
    await store.read(newRecord().id)
    await store.read(newRecord().id)
    t.deepEqual(warnings, [], 'nothing is said where CONFIG is not allowed')
  }
})

async function start(t: Cleanup, driver: Driver, options: Omit<RedisStoreOptions, 'client'> = {}, ...args: string[]) {
  const server: RedisServer = await startRedis(...args)
  const { client, close } = await driver.connect(server.url)
  t.teardown(async () => {
    close()
    await server.stop()
  })
  return { server, client, store: redisStore({ client, ...options }) }
}

async function list(store: SessionStore) {
  return listOf(store.records!())
}

/** A stand-in for a driver that lost an answer and sent the command again. */
function sendingTwice(client: RedisClient): RedisClient {
  const twice = new Set(['set', 'evalSha', 'evalsha'])
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (typeof value !== 'function') return value
      const call = (...args: unknown[]) => Reflect.apply(value, target, args) as unknown
      if (!twice.has(String(name))) return call
      return async (...args: unknown[]) => {
        await call(...args)
        return call(...args)
      }
    }
  })
}

/** A stand-in that shows how an answer is taken: one method always gives it. */
function answering(client: RedisClient, method: string, answer: unknown): RedisClient {
  return new Proxy(client, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name)
      if (name === method) return async () => (answer instanceof Error ? Promise.reject(answer) : answer)
      return typeof value === 'function' ? (value.bind(target) as unknown) : value
    }
  })
}
