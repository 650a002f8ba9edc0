import test from 'ava'
import { startProcesses } from '../support/fleet.js'
import { needsMemcached, startMemcached } from '../support/memcached.js'
import { races } from './races.js'

races(needsMemcached(test), 'memcached, four processes', async () => {
  const teardowns: (() => unknown)[] = []
  const server = await startMemcached({ teardown: (end) => void teardowns.push(end) })
  const fleet = await startProcesses(4, new URL('../support/memcached-store.ts', import.meta.url), server.address)
  return {
    ...fleet,
    async close() {
      await fleet.close()
      for (const end of teardowns) await end()
    }
  }
})
