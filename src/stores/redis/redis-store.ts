import { assertKnown, assertOption, isCount, isPositive } from '../check.js'
import type { SessionStore } from '../store.js'
import type { RedisCommands } from './redis/commands.js'
import { ioRedisCommands, isIoRedis, type IoRedisClient } from './redis/ioredis.js'
import { isNodeRedis, nodeRedisCommands, type NodeRedisClient } from './redis/node-redis.js'
import { createStore } from './redis/store.js'

/** A connected client: `createClient`, `createCluster` or `createSentinel` of `redis` 4+, or `Redis` or `Cluster` of `ioredis` 5+. */
export type RedisClient = NodeRedisClient | IoRedisClient

export interface RedisStoreOptions {
  /** The application's own client; the store never closes it. */
  client: RedisClient
  /** How many replicas must confirm a removal before `destroy` succeeds, so that a failover cannot undo a logout. @default 0 */
  waitReplicas?: number | undefined
  /** How long they may take, in milliseconds; below the middleware's `storeTimeout`. @default 1_000 */
  waitTimeout?: number | undefined
}

const optionNames = Object.keys({ client: 0, waitReplicas: 0, waitTimeout: 0 } satisfies {
  [Name in keyof Required<RedisStoreOptions>]: 0
})

/**
 * Keeps sessions in Redis 6.2 or later, or Valkey: one server, a cluster, or behind Sentinel.
 *
 * @example
 * const client = createClient({ url: 'redis://localhost', disableOfflineQueue: true })
 * await client.connect()
 * app.use(session({ store: redisStore({ client }) }))
 */
export function redisStore(options: RedisStoreOptions): SessionStore {
  const where = 'redisStore(options)'
  assertKnown(where, options, optionNames)
  const { client, ...rest } = options
  const redis = commandsOf(client)
  const expected = 'a client of redis 4 or later (createClient, createCluster, createSentinel) or of ioredis 5 or later (Redis, Cluster)'
  assertOption(where, 'client', client, redis !== undefined, expected + adviceOn(client))
  return createStore(redis!, resolveWait(where, rest))
}

/** The options that do not name the client, with their defaults. */
export function resolveWait(where: string, options: Omit<RedisStoreOptions, 'client'>) {
  const { waitReplicas = 0, waitTimeout = 1_000 } = options
  assertOption(where, 'waitReplicas', waitReplicas, isCount(waitReplicas), 'a whole number (0 = do not wait)')
  assertOption(where, 'waitTimeout', waitTimeout, isPositive(waitTimeout) && isCount(waitTimeout), 'a whole number of milliseconds above 0')
  return { waitReplicas, waitTimeout }
}

function commandsOf(client: unknown): RedisCommands | undefined {
  if (typeof client !== 'object' || client === null) return undefined
  if (isNodeRedis(client)) return nodeRedisCommands(client)
  if (isIoRedis(client)) return ioRedisCommands(client)
  return undefined
}

function adviceOn(client: unknown): string {
  if (typeof client === 'string' || client instanceof URL) return " (for a URL, use storeFromUrl('redis://…'))"
  return client instanceof Promise ? ' (await the promise first)' : ''
}
