import test from 'ava'
import { commandCounts, connectMemcached, needsMemcached, startMemcached } from '../../support/memcached.js'
import { openScope } from '../../support/memcached-scope.js'
import { counting, setting } from '../../support/recipes.js'
import { startProxy } from '../../support/proxy.js'
import { until } from '../../support/redis.js'

const memcachedTest = needsMemcached(test)

/** How long a client waits in tests in which memcached does not answer, in milliseconds. */
const soon = 3000

const failed = { name: 'SessionError', code: 'ERR_SESSION_STORE' }

memcachedTest('while memcached is stopped every call fails in time, and works again afterwards', async (t) => {
  const server = await startMemcached(t)
  const { store, newRecord } = openScope(connectMemcached(t, server.address, soon))
  const [record, other] = [newRecord(), newRecord()]
  await store.create(record.id, record)
  const seen = await store.read(record.id)
  await server.pause()
  const start = performance.now()
  await Promise.all([
    t.throwsAsync(async () => store.read(record.id), failed),
    t.throwsAsync(async () => store.create(other.id, other), failed),
    t.throwsAsync(async () => store.update(record.id, counting, seen), failed),
    t.throwsAsync(async () => store.destroy(other.id), { ...failed, message: /Command timeout: memcached did not answer in time/ })
  ])
  t.true(performance.now() - start < 30_000)
  server.resume()
  await until('memcached answers again', async () => (await store.read(record.id)) !== undefined)
  t.true([1, 2].includes((await store.update(record.id, counting))?.data['count'] as number))
})

memcachedTest('a save that timed out is applied once or not at all, however late', async (t) => {
  const server = await startMemcached(t)
  const { store, another, newRecord } = openScope(connectMemcached(t, server.address, soon))
  const record = newRecord({ count: 0 })
  await store.create(record.id, record)
  const seen = await store.read(record.id)
  await server.pause()
  await t.throwsAsync(async () => store.update(record.id, counting, seen), failed)
  server.resume()
  const later = another(connectMemcached(t, server.address))
  await until('memcached has carried out what it had received', async () => (await commandCounts(server)).stores >= 2)
  t.is((await later.read(record.id))?.data['count'], 1)
  t.is((await later.update(record.id, counting))?.rev, 3)
})

memcachedTest('calls in progress fail at once when memcached is killed, and its sessions are gone when it is back', async (t) => {
  const server = await startMemcached(t)
  const { store, newRecord } = openScope(connectMemcached(t, server.address))
  const record = newRecord()
  await store.create(record.id, record)
  const seen = await store.read(record.id)
  await server.pause()
  const calls = [store.read(record.id), store.update(record.id, counting, seen), store.destroy(newRecord().id)].map((call) => t.throwsAsync(async () => call, failed))
  const start = performance.now()
  await server.kill()
  await Promise.all(calls)
  t.true(performance.now() - start < 30_000, 'no call waits for its timeout')
  await t.throwsAsync(async () => store.read(record.id), { ...failed, message: /ECONNREFUSED.*start memcached, or correct its address/ })
  await server.start()
  t.is(await store.read(record.id), undefined)
  t.is(await store.update(record.id, counting, seen), undefined)
  t.is(await store.destroy(record.id), undefined)
  const next = newRecord()
  t.true(await store.create(next.id, next))
})

memcachedTest('a session that was destroyed stays so when a save that was in progress arrives late', async (t) => {
  const server = await startMemcached(t)
  const proxy = await startProxy(t, server.port)
  const { store, another, newRecord } = openScope(connectMemcached(t, `127.0.0.1:${proxy.port}`))
  const quick = another(connectMemcached(t, server.address))
  for (const end of [async (id: string) => (await quick.destroy(id)) !== undefined, async (id: string) => (await quick.update(id, () => null)) === null]) {
    const record = newRecord()
    await quick.create(record.id, record)
    const seen = await store.read(record.id)
    proxy.hold()
    const late = store.update(record.id, setting('late', true), seen)
    await until('the save is on its way', () => proxy.held > 0)
    t.true(await end(record.id))
    proxy.release()
    t.is(await late, undefined)
    t.is(await quick.read(record.id), undefined)
  }
})

memcachedTest('a save that arrives late overwrites nothing newer', async (t) => {
  const server = await startMemcached(t)
  const proxy = await startProxy(t, server.port)
  const { store, another, newRecord } = openScope(connectMemcached(t, `127.0.0.1:${proxy.port}`))
  const quick = another(connectMemcached(t, server.address))
  const record = newRecord()
  await quick.create(record.id, record)
  const seen = await store.read(record.id)
  proxy.hold()
  const late = store.update(record.id, setting('late', true), seen)
  await until('the save is on its way', () => proxy.held > 0)
  await quick.update(record.id, setting('newer', true))
  proxy.release()
  t.deepEqual((await late)?.data, { user: 'momo', newer: true, late: true })
  t.deepEqual((await quick.read(record.id))?.rev, 3)
})

memcachedTest('a removal that arrives late removes nothing newer', async (t) => {
  const server = await startMemcached(t)
  const proxy = await startProxy(t, server.port)
  const { store, another, newRecord } = openScope(connectMemcached(t, `127.0.0.1:${proxy.port}`))
  const quick = another(connectMemcached(t, server.address))
  const record = newRecord()
  await quick.create(record.id, record)
  const seen = await store.read(record.id)
  proxy.hold()
  const late = store.update(record.id, (current) => (current.data['newer'] ? current : null), seen)
  await until('the removal is on its way', () => proxy.held > 0)
  await quick.update(record.id, setting('newer', true))
  proxy.release()
  t.deepEqual((await late)?.data, { user: 'momo', newer: true })
})

memcachedTest('a record that another process wrote with the same revision is not overwritten with a number that was not read', async (t) => {
  const server = await startMemcached(t)
  const client = connectMemcached(t, server.address)
  const { store, newRecord, keyOf } = openScope(client)
  const record = newRecord()
  await store.create(record.id, record)
  const written = await store.update(record.id, setting('a', 1))
  await client.set(keyOf(record.id), JSON.stringify({ ...written, write: 'other', data: { b: 2 } }), { lifetime: 0 })
  t.deepEqual((await store.update(record.id, setting('c', 3), written!))?.data, { b: 2, c: 3 })
})

memcachedTest('a number from before a restart does not overwrite what was copied into memcached since', async (t) => {
  const server = await startMemcached(t)
  const { store, newRecord, advance } = openScope(connectMemcached(t, server.address))
  const record = newRecord({ from: 'copy' })
  await store.create(record.id, record)
  await store.update(record.id, setting('from', 'original'))
  const seen = await store.read(record.id)
  await server.kill()
  await server.start()
  // The number of the copy is 2, as that of the record that was seen.
  await server.ask('set x 0 0 1\r\nx')
  await store.create(record.id, record)
  advance(1001)
  t.deepEqual((await store.update(record.id, setting('saved', true), seen))?.data, { from: 'copy', saved: true })
})

memcachedTest('a full memcached evicts the session that was used longest ago, and a save in progress does not bring it back', async (t) => {
  const server = await startMemcached(t, '-m', '2')
  const { store, newRecord } = openScope(connectMemcached(t, server.address))
  const records = Array.from({ length: 4000 }, () => newRecord({ text: 'x'.repeat(800) }))
  const [oldest, newest] = [records[0]!, records.at(-1)!]
  await store.create(oldest.id, oldest)
  const seen = await store.read(oldest.id)
  for (const record of records.slice(1)) t.true(await store.create(record.id, record))
  t.is(await store.update(oldest.id, counting, seen), undefined)
  t.is(await store.read(oldest.id), undefined)
  t.deepEqual(await store.read(newest.id), newest)
})

memcachedTest('a full memcached that must not evict refuses saves with advice, keeps what it has, and lets people log out', async (t) => {
  const server = await startMemcached(t, '-m', '2', '-M')
  const { store, newRecord } = openScope(connectMemcached(t, server.address))
  const kept = []
  let error: unknown
  while (!error) {
    const record = newRecord({ text: 'x'.repeat(800) })
    try {
      await store.create(record.id, record)
      kept.push(record)
    } catch (thrown) {
      error = thrown
    }
  }
  t.like(error, failed)
  t.regex((error as Error).message, /out of memory.*start it without -M, or with more memory/)
  const first = kept[0]!
  await t.throwsAsync(async () => store.update(first.id, counting), { ...failed, message: /out of memory/ })
  t.deepEqual(await store.read(first.id), first)
  t.deepEqual(await store.destroy(first.id), first)
  t.is(await store.read(first.id), undefined)
})

memcachedTest('without a free connection calls fail with advice, and work once there is one', async (t) => {
  const server = await startMemcached(t, '-c', '20', '-t', '1')
  const clients = Array.from({ length: 20 }, () => connectMemcached(t, server.address))
  const outcomes = await Promise.all(
    clients.map(async (client) => {
      const { store, newRecord } = openScope(client)
      const record = newRecord()
      return Promise.resolve(store.create(record.id, record)).catch((error: unknown) => error)
    })
  )
  const errors = outcomes.filter((outcome) => outcome !== true) as Error[]
  t.true(errors.length > 0 && errors.length < 20)
  for (const error of errors) t.like(error, failed)
  t.true(errors.some(({ message }) => /Too many open connections.*raise memcached's limit of connections/.test(message)))
  for (const [at, client] of clients.entries()) if (outcomes[at] === true) client.shutdown()
  const refused = clients[outcomes.findIndex((outcome) => outcome !== true)]!
  const { store, newRecord } = openScope(refused)
  await until('the refused client has a connection', async () => {
    const record = newRecord()
    return store.create(record.id, record)
  })
  t.pass()
})

memcachedTest('an application that starts before memcached works once it is there', async (t) => {
  const server = await startMemcached(t)
  await server.kill()
  const { store, newRecord } = openScope(connectMemcached(t, server.address))
  const record = newRecord()
  await t.throwsAsync(async () => store.create(record.id, record), { ...failed, message: /start memcached/ })
  await server.start()
  t.true(await store.create(record.id, record))
})

memcachedTest('lost connections cost the calls that were in progress, and no more', async (t) => {
  const server = await startMemcached(t)
  const proxy = await startProxy(t, server.port)
  const { store, newRecord } = openScope(connectMemcached(t, `127.0.0.1:${proxy.port}`))
  const record = newRecord({ count: 0 })
  await store.create(record.id, record)
  for (let round = 0; round < 5; round++) {
    proxy.loseAnswers()
    const lost = t.throwsAsync(async () => store.update(record.id, counting), failed)
    await until('the answer is lost', () => proxy.lost > 0)
    proxy.cut()
    await lost
    const before = (await store.read(record.id))?.data['count']
    t.is((await store.update(record.id, counting))?.data['count'], Number(before) + 1)
  }
})

memcachedTest('nothing of a session is in an error', async (t) => {
  const server = await startMemcached(t)
  const { store, newRecord } = openScope(connectMemcached(t, server.address, soon))
  const record = newRecord({ secret: 'a-secret' })
  await store.create(record.id, record)
  await server.pause()
  const error = await t.throwsAsync(async () => store.update(record.id, counting, record))
  server.resume()
  t.notRegex(`${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`, new RegExp(`a-secret|${record.id}`))
})
