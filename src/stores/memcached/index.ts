export { memcachedStore } from './memcached-store.js'
export { openMemcached } from './open.js'
export type { MemcachedClient } from './client.js'
export type { MemcachedStoreOptions } from './memcached-store.js'
