import test from 'ava'
import { memcachedStore, type MemcachedClient, type MemcachedStoreOptions } from '../../../src/stores/memcached/index.js'
import { defaultScope } from '../../../src/store/index.js'
import { recordEvents } from '../../support/events.js'
import { connectMemcached, needsMemcached, startMemcached } from '../../support/memcached.js'
import { openScope } from '../../support/memcached-scope.js'
import { counting, setting } from '../../support/recipes.js'

const memcachedTest = needsMemcached(test)

const noClient: MemcachedClient = { gets: async () => undefined, add: async () => ['STORED'], cas: async () => ['STORED'] }

for (const [what, options, message] of [
  ['no client', {}, /give either client or clients/],
  ['both', { client: noClient, clients: { a: noClient } }, /give either client or clients/],
  ['something that is no client', { client: { gets: async () => undefined } }, /client must be a client of the package memcache-client, got an object/],
  ['no nodes', { clients: {} }, /clients must be an object with a client for each name of a node/],
  ['a list of clients', { clients: [noClient] }, /clients must be an object with a client for each name of a node, got an array/],
  ['a node that is no client', { clients: { 'a:1': noClient, 'b:1': 'b:1' } }, /clients\["b:1"\] must be a client of the package memcache-client \(for a URL, use storeFromUrl\('memcached:\/\/…'\)\), got a string/],
  ['a client in place of the options', noClient, /got a client: write memcachedStore\(\{ client \}\)/],
  ['an unknown option', { client: noClient, prefix: 'a' }, /unknown option "prefix"; known are client, clients/]
] as const) {
  test(`memcachedStore() refuses ${what} with a TypeError`, (t) => {
    t.throws(() => memcachedStore(options as unknown as MemcachedStoreOptions), { instanceOf: TypeError, message })
  })
}

test('a prefix that memcached could not keep in a key is a TypeError', (t) => {
  const store = memcachedStore({ client: noClient })
  for (const prefix of ['', 'session:', 'x'.repeat(186), '~!*%']) t.truthy(store.scope!({ ...defaultScope, prefix }))
  for (const prefix of ['x'.repeat(187), 'a b', 'a\r\ndelete b', '\t', 'ü', '\0', '\x7f']) {
    t.throws(() => store.scope!({ ...defaultScope, prefix }), { instanceOf: TypeError, message: /prefix must have at most 186 characters/ })
  }
})

memcachedTest('the longest prefix works', async (t) => {
  const server = await startMemcached(t)
  const { newRecord } = openScope(noClient)
  const store = memcachedStore({ client: connectMemcached(t, server.address) }).scope!({ ...defaultScope, prefix: 'x'.repeat(186) })
  const record = newRecord()
  t.true(await store.create(record.id, record))
  t.deepEqual(await store.read(record.id), record)
})

memcachedTest('a record over the item size of memcached is refused, and the stored one stays', async (t) => {
  const server = await startMemcached(t)
  const { store, newRecord } = openScope(connectMemcached(t, server.address))
  const record = newRecord()
  await store.create(record.id, record)
  const error = { name: 'SessionError', code: 'ERR_SESSION_TOO_LARGE', message: /memcached refuses a session of 2000\d\d\d bytes: .*item size \(-I/ }
  await t.throwsAsync(async () => store.update(record.id, setting('big', 'x'.repeat(2_000_000))), error)
  const large = newRecord({ big: 'x'.repeat(2_000_000) })
  await t.throwsAsync(async () => store.create(large.id, large), error)
  t.deepEqual(await store.read(record.id), record)
  t.is(await store.read(large.id), undefined)
  await store.update(record.id, setting('big', 'x'.repeat(1_000_000)))
  t.is((await store.read(record.id))?.rev, 2)
})

memcachedTest('memcached without compare-and-swap is an error that says so, not a session that cannot be saved', async (t) => {
  const server = await startMemcached(t, '-C')
  const { store, newRecord } = openScope(connectMemcached(t, server.address))
  const record = newRecord()
  await store.create(record.id, record)
  const error = { name: 'SessionError', code: 'ERR_SESSION_STORE', message: /without compare-and-swap.*start it without the option -C/ }
  await t.throwsAsync(async () => store.read(record.id), error)
  await t.throwsAsync(async () => store.update(record.id, counting), error)
  await t.throwsAsync(async () => store.destroy(record.id), error)
})

memcachedTest('a value that another program stored is corrupt, whatever its flags, and stays', async (t) => {
  const events = recordEvents(t)
  const server = await startMemcached(t)
  const { store, newRecord, keyOf } = openScope(connectMemcached(t, server.address))
  for (const flags of [0, 1, 2, 3, 4, 8, 16, 65_535]) {
    const record = newRecord()
    await server.ask(`set ${keyOf(record.id)} ${flags} 0 7\r\nforeign`)
    t.is(await store.read(record.id), undefined)
    t.is(await store.update(record.id, counting), undefined)
    t.is(await store.update(record.id, counting, record), undefined)
    t.is(await store.destroy(record.id), undefined)
    t.false(await store.create(record.id, record))
    t.true(events.filter((event) => event.type === 'corrupt' && event.id === record.id).length >= 4)
    t.is(await server.ask(`get ${keyOf(record.id)}`), `VALUE ${keyOf(record.id)} ${flags} 7\r\nforeign\r\nEND\r\n`)
  }
})

for (const [what, client] of [
  ['callbacks', { gets: () => undefined, add: () => undefined, cas: () => undefined }],
  ['other answers', { gets: async () => new Map(), add: async () => true, cas: async () => false }]
] as const) {
  test(`a client of another package, with ${what}, is an error that says which package to use, and not "no session"`, async (t) => {
    const { store, newRecord } = openScope(client as unknown as MemcachedClient)
    const record = newRecord()
    const error = { name: 'SessionError', code: 'ERR_SESSION_STORE', message: /client\.\w+\(\) answers .*use a client of the package memcache-client/ }
    await t.throwsAsync(async () => store.read(record.id), error)
    await t.throwsAsync(async () => store.create(record.id, record), error)
    await t.throwsAsync(async () => store.update(record.id, counting, record), error)
    await t.throwsAsync(async () => store.destroy(record.id), error)
  })
}
