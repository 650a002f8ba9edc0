import test from 'ava'
import { closingToo, startServers } from '../support/fleet.js'
import { needsMemcached, startMemcached } from '../support/memcached.js'
import makeStore from '../support/memcached-store.js'
import { races } from './races.js'

const memcachedTest = needsMemcached(test)

for (const count of [1, 3]) {
  races(memcachedTest, `${count} memcached, one process`, async () => {
    const teardowns: (() => unknown)[] = []
    const servers = await Promise.all(Array.from({ length: count }, () => startMemcached({ teardown: (end) => void teardowns.push(end) })))
    const addresses = servers.map(({ address }) => address)
    const [one, other] = [makeStore(addresses.join()), makeStore(addresses.toReversed().join())]
    return closingToo(await startServers([one, one, other]), ...teardowns)
  })
}
