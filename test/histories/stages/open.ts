import type { SessionStore } from '../../../src/store/index.js'
import { reopening } from './reopening.js'
import type { RedisAddress } from './redis-clients.js'

/** Which store a worker opens. Each one loads only what its store needs. */
export type StoreSpec =
  | { readonly store: 'memory'; readonly maxSessions?: number; readonly sweepEvery?: number }
  | { readonly store: 'file'; readonly dir: string; readonly threshold?: number; readonly sweepEvery?: number; readonly locking?: 'auto' | 'lockfile' }
  | { readonly store: 'redis'; readonly driver: 'redis' | 'ioredis'; readonly address: RedisAddress }
  | { readonly store: 'memcached'; readonly address: string }
  | { readonly store: 'sql'; readonly url: string }
  | { readonly store: 'mongo'; readonly url: string; readonly database: string }

export async function openStore(spec: StoreSpec): Promise<SessionStore> {
  switch (spec.store) {
    case 'memory': {
      const { memoryStore } = await import('../../../src/stores/memory/index.js')
      const { maxSessions, sweepEvery } = spec
      return memoryStore({ maxSessions, sweepEvery })
    }
    case 'file': {
      const { fileStore } = await import('../../../src/stores/file/index.js')
      const { store: _, ...options } = spec
      return fileStore(options)
    }
    case 'redis': {
      const { redisStore } = await import('../../../src/stores/redis/index.js')
      const { connectIoRedis, connectNodeRedis } = await import('./redis-clients.js')
      const client = await (spec.driver === 'redis' ? connectNodeRedis(spec.address) : connectIoRedis(spec.address))
      return redisStore({ client })
    }
    case 'memcached': {
      const { default: makeStore } = await import('../../support/memcached-store.js')
      return makeStore(spec.address)
    }
    case 'sql': {
      const { default: makeStore } = await import('../../support/sql-store.js')
      return makeStore(spec.url)
    }
    case 'mongo': {
      const { MongoClient } = await import('mongodb')
      const { mongoStore } = await import('../../../src/stores/mongo/index.js')
      const { url, database } = spec
      const options = { serverSelectionTimeoutMS: 3000, connectTimeoutMS: 1500, socketTimeoutMS: 3000, heartbeatFrequencyMS: 500 }
      return reopening(() => mongoStore({ client: new MongoClient(url, options), database }), cannotReach)
    }
  }
}

/**
 * When MongoDB's driver asks whether the server is there at the very moment at which the connection breaks, it waits for an answer for ever,
 * and uses the server no more.
 */
function cannotReach(error: unknown): boolean {
  return error instanceof Error && error.cause instanceof Error && error.cause.name === 'MongoServerSelectionError'
}
