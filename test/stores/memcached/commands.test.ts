import test from 'ava'
import { commandCounts, connectMemcached, needsMemcached, startMemcached, type MemcachedServer } from '../../support/memcached.js'
import { openScope } from '../../support/memcached-scope.js'
import { counting, setting } from '../../support/recipes.js'

const memcachedTest = needsMemcached(test)

/** The commands that a call sends. */
async function counted(server: MemcachedServer, call: () => unknown): Promise<{ gets: number; stores: number }> {
  const before = await commandCounts(server)
  await call()
  const after = await commandCounts(server)
  return { gets: after.gets - before.gets, stores: after.stores - before.stores }
}

memcachedTest('a save of a record that was just read, a read and a creation send one command each', async (t) => {
  const server = await startMemcached(t)
  const { store, newRecord } = openScope(connectMemcached(t, server.address))
  const record = newRecord()
  t.deepEqual(await counted(server, () => store.create(record.id, record)), { gets: 0, stores: 1 })
  t.deepEqual(await counted(server, () => store.read(record.id)), { gets: 1, stores: 0 })
  const seen = await store.read(record.id)
  t.deepEqual(await counted(server, () => store.update(record.id, counting, seen)), { gets: 0, stores: 1 })
})

memcachedTest('a save of a record that this process has written reads its number first', async (t) => {
  const server = await startMemcached(t)
  const { store, newRecord } = openScope(connectMemcached(t, server.address))
  const record = newRecord()
  await store.create(record.id, record)
  const written = await store.update(record.id, counting, record)
  t.deepEqual(await counted(server, () => store.update(record.id, counting, written!)), { gets: 1, stores: 1 })
})

memcachedTest('a removal and a destroy send one command that stores and none that deletes', async (t) => {
  const server = await startMemcached(t)
  const { store, newRecord } = openScope(connectMemcached(t, server.address))
  const [removed, destroyed] = [newRecord(), newRecord()]
  for (const record of [removed, destroyed]) await store.create(record.id, record)
  const seen = await store.read(removed.id)
  t.deepEqual(await counted(server, () => store.update(removed.id, () => null, seen)), { gets: 0, stores: 1 })
  t.deepEqual(await counted(server, () => store.destroy(destroyed.id)), { gets: 1, stores: 1 })
  t.is((await commandCounts(server)).deletes, 0)
})

memcachedTest('a record is kept until a minute after its deadline, also beyond the 30 days that memcached counts', async (t) => {
  const server = await startMemcached(t)
  const { store, newRecord, keyOf } = openScope(connectMemcached(t, server.address))
  for (const lifetime of [1, 60_000, 3_600_000, 29 * 86_400_000, 31 * 86_400_000, 365 * 86_400_000]) {
    const record = newRecord({}, { expires: Date.now() + lifetime })
    await store.create(record.id, record)
    const seconds = Number(/^HD t(\d+)/.exec(await server.ask(`mg ${keyOf(record.id)} t`))?.[1])
    const expected = lifetime / 1000 + 60
    // memcached's clock ticks once a second.
    t.true(seconds >= expected - 1 && seconds <= expected + 2, `${seconds} instead of ${expected}`)
  }
})

memcachedTest('a record whose deadline is later than memcached can count does not expire in memcached', async (t) => {
  const server = await startMemcached(t)
  const { store, newRecord, keyOf } = openScope(connectMemcached(t, server.address))
  for (const expires of [2 ** 31 * 1000, Date.now() + 100 * 365 * 86_400_000, 8.64e15]) {
    const record = newRecord({}, { expires })
    await store.create(record.id, record)
    t.regex(await server.ask(`mg ${keyOf(record.id)} t`), /^HD t-1\r/)
    t.deepEqual(await store.read(record.id), record)
  }
})

memcachedTest('an update moves the time until which memcached keeps the record', async (t) => {
  const server = await startMemcached(t)
  const { store, newRecord, keyOf } = openScope(connectMemcached(t, server.address))
  const record = newRecord({}, { expires: Date.now() + 1000 })
  await store.create(record.id, record)
  await store.update(record.id, (current) => ({ ...setting('a', 1)(current), expires: Date.now() + 40 * 86_400_000 }))
  const seconds = Number(/^HD t(\d+)/.exec(await server.ask(`mg ${keyOf(record.id)} t`))?.[1])
  t.true(seconds > 39 * 86_400)
})
