import type { SessionStore } from '../../src/index.js'
import { memcachedStore } from '../../src/stores/memcached/index.js'
import { connectMemcached } from './memcached.js'

/** The store of a process of a fleet. @param addresses of the memcached nodes, with commas between them. */
export default function makeStore(addresses: string): SessionStore {
  const forever = { teardown: () => undefined }
  return memcachedStore({ clients: Object.fromEntries(addresses.split(',').map((address) => [address, connectMemcached(forever, address)])) })
}
