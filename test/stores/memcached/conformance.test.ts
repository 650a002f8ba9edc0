import test from 'ava'
import { memcachedStore } from '../../../src/stores/memcached/index.js'
import { storeConformance } from '../../../src/testing/index.js'
import { connectMemcached, needsMemcached, startMemcached, type MemcachedServer } from '../../support/memcached.js'

const memcachedTest = needsMemcached(test)

const teardowns: (() => unknown)[] = []
const cleanup = { teardown: (run: () => unknown) => void teardowns.push(run) }
let server: MemcachedServer
let client: ReturnType<typeof connectMemcached>

memcachedTest.before(async () => {
  server = await startMemcached(cleanup, '-m', '64')
  client = connectMemcached(cleanup, server.address)
})
memcachedTest.after.always(async () => {
  for (const teardown of teardowns) await teardown()
})

storeConformance(
  (title, run) => memcachedTest(`memcached: ${title}`, run),
  (scope) => ({
    store: memcachedStore({ client }).scope!(scope),
    put: async (id, text) => void (await client.set(scope.prefix + id, text, { lifetime: 0 })),
    get: async (id) => (await client.get<string>(scope.prefix + id))?.value
  }),
  { parallel: 100 }
)
