import test from 'ava'
import { openMemcached } from '../../../src/stores/memcached/index.js'
import { needsMemcached, startMemcached } from '../../support/memcached.js'
import { until } from '../../support/redis.js'
import { openScope } from '../../support/memcached-scope.js'

const memcachedTest = needsMemcached(test)

const { newRecord } = openScope({ gets: async () => undefined, add: async () => undefined, cas: async () => undefined })

memcachedTest('the store of a URL connects with its first call, and closes what it opened', async (t) => {
  const server = await startMemcached(t)
  const connections = async () => Number(/^STAT curr_connections (\d+)/m.exec(await server.ask('stats'))?.[1])
  // The connection that asks is there. The server may not have noticed yet that earlier ones were closed.
  const idle = 1
  await until('nobody else is connected', async () => (await connections()) === idle)
  for (const url of [`memcached://${server.address}`, `memcached://${server.address}/`, new URL(`memcached://${server.address}`)]) {
    const store = openMemcached(url)
    const record = newRecord()
    t.true(await store.create(record.id, record))
    t.deepEqual(await store.read(record.id), record)
    await until('the store has one connection', async () => (await connections()) === idle + 1)
    await store.close!()
    await t.throwsAsync(async () => store.read(record.id), { code: 'ERR_SESSION_STORE', message: /closed/ })
    await until('the connection is closed', async () => (await connections()) === idle)
  }
})

for (const url of ['memcached://localhost', 'memcached://LocalHost:11211', 'MEMCACHED://10.0.0.1:1,cache_2.internal:65535']) {
  test(`${url} is accepted without connecting`, async (t) => {
    await openMemcached(url).close!()
    t.pass()
  })
}

for (const url of ['memcached://', 'redis://localhost', 'memcached://user:pw@localhost', 'memcached://localhost/0', 'memcached://localhost?a=b',
  'memcached://localhost:0', 'memcached://localhost:65536', 'memcached://localhost:x', 'memcached://[::1]:11211', 'memcached://a:1,,b:1', 'memcached://a b']) {
  test(`${url} is a TypeError that shows the right form and does not quote the URL`, (t) => {
    const error = t.throws(() => openMemcached(url), { instanceOf: TypeError, message: /url must be like memcached:\/\/host:11211/ })
    t.false(error.message.includes('pw'))
  })
}

test('a server that is named twice is a TypeError', (t) => {
  t.throws(() => openMemcached('memcached://a,A:11211'), { instanceOf: TypeError, message: /each server once/ })
})

test('an option is a TypeError', (t) => {
  t.throws(() => openMemcached('memcached://a', { prefix: 'x' }), { instanceOf: TypeError, message: /unknown option "prefix"/ })
})
