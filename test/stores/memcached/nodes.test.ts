import test, { type ExecutionContext } from 'ava'
import { randomBytes } from 'node:crypto'
import { memcachedStore, openMemcached } from '../../../src/stores/memcached/index.js'
import { distribute } from '../../../src/stores/memcached/nodes.js'
import { connectMemcached, needsMemcached, startMemcached, type MemcachedServer } from '../../support/memcached.js'
import { openScope } from '../../support/memcached-scope.js'
import { counting } from '../../support/recipes.js'

const memcachedTest = needsMemcached(test)

const newClient = () => ({ gets: async () => undefined, add: async () => undefined, cas: async () => undefined })

const { newRecord } = openScope(newClient())

/** A store over new servers, and a function that finds the servers that keep an id. */
async function startNodes(t: ExecutionContext, count: number) {
  const servers = await Promise.all(Array.from({ length: count }, () => startMemcached(t)))
  const clients = Object.fromEntries(servers.map(({ address }) => [address, connectMemcached(t, address)]))
  const holders = async (id: string): Promise<MemcachedServer[]> => {
    const answers = await Promise.all(servers.map((server) => server.ask(`get session:${id}`)))
    return servers.filter((_, at) => answers[at]!.startsWith('VALUE'))
  }
  return { servers, clients, store: memcachedStore({ clients }), holders }
}

memcachedTest('each session is on one node, and the nodes get like shares', async (t) => {
  const { servers, store, holders } = await startNodes(t, 3)
  const shares = new Map(servers.map((server) => [server, 0]))
  for (let at = 0; at < 150; at++) {
    const record = newRecord()
    t.true(await store.create(record.id, record))
    t.is((await store.update(record.id, counting))?.rev, 2)
    t.is((await store.read(record.id))?.rev, 2)
    const [holder, ...others] = await holders(record.id)
    t.is(others.length, 0)
    shares.set(holder!, shares.get(holder!)! + 1)
    if (at % 2 === 0) t.is((await store.destroy(record.id))?.rev, 2)
  }
  for (const share of shares.values()) t.true(share >= 25, `one has ${share} of 150`)
})

memcachedTest('processes that list the nodes in another order find the same sessions', async (t) => {
  const { clients, store } = await startNodes(t, 3)
  const other = memcachedStore({ clients: Object.fromEntries(Object.entries(clients).toReversed()) })
  for (let at = 0; at < 50; at++) {
    const record = newRecord()
    await store.create(record.id, record)
    t.deepEqual(await other.read(record.id), record)
  }
})

test('a node that is added takes over its share of the sessions, and no other session moves', (t) => {
  const nodes = new Map(['a:1', 'b:1', 'c:1'].map((name) => [name, newClient()]))
  const before = distribute(nodes)
  const added = newClient()
  const after = distribute(new Map([...nodes, ['d:1', added]]))
  let moved = 0
  for (let at = 0; at < 2000; at++) {
    const id = randomBytes(32).toString('hex')
    if (after(id) === before(id)) continue
    moved++
    t.is(after(id), added)
  }
  t.true(moved > 400 && moved < 600, `${moved} of 2000 moved`)
})

memcachedTest('while a node is down its sessions fail, and are not begun elsewhere; the others work', async (t) => {
  const { servers, store, holders } = await startNodes(t, 2)
  const records = Array.from({ length: 30 }, () => newRecord())
  for (const record of records) await store.create(record.id, record)
  const lost = new Set<string>()
  for (const { id } of records) if ((await holders(id))[0] === servers[0]) lost.add(id)
  t.true(lost.size > 0 && lost.size < records.length)
  await servers[0]!.kill()
  const error = { name: 'SessionError', code: 'ERR_SESSION_STORE', message: /ECONNREFUSED.*start memcached|socket/ }
  for (const record of records) {
    if (!lost.has(record.id)) {
      t.is((await store.update(record.id, counting))?.rev, 2)
      continue
    }
    await t.throwsAsync(async () => store.read(record.id), error)
    await t.throwsAsync(async () => store.create(record.id, record), error)
    await t.throwsAsync(async () => store.update(record.id, counting, record), error)
    await t.throwsAsync(async () => store.destroy(record.id), error)
    t.true((await servers[1]!.ask(`get session:${record.id}`)).startsWith('END'))
  }
  await servers[0]!.start()
  for (const { id } of records) t.is((await store.read(id))?.rev, lost.has(id) ? undefined : 2, 'those of the node are gone')
})

memcachedTest('a URL with several servers distributes sessions as named clients do', async (t) => {
  const { servers, store } = await startNodes(t, 3)
  const opened = openMemcached(`memcached://${servers.map(({ address }) => address).toReversed().join(',')}`)
  for (let at = 0; at < 30; at++) {
    const record = newRecord()
    await opened.create(record.id, record)
    t.deepEqual(await store.read(record.id), record)
  }
  await opened.close!()
})
