import { isCount, isPositive, kindOf, OptionChecks } from '../../checks.js'
import type { SessionStore } from '../../store/index.js'
import type { RedisCommands } from './commands.js'
import type { RedisConnection } from './connection.js'
import { createRedisStore } from './create-redis-store.js'
import { firstConnectionOf } from './first-connection.js'
import { IoRedisCommands, isIoRedis, type IoRedisClient } from './ioredis.js'
import { isNodeRedis, NodeRedisCommands, type NodeRedisClient } from './node-redis.js'
import type { WaitSettings } from './redis-backend.js'

/** A connected client: `createClient`, `createCluster` or `createSentinel` of `redis` 4.6+, or `Redis` or `Cluster` of `ioredis` 5+. */
export type RedisClient = NodeRedisClient | IoRedisClient

export interface RedisStoreOptions {
  /** The application's own client. The store never closes it. */
  client: RedisClient
  /** How many replicas must confirm a removal before `destroy` succeeds, so that a failover cannot undo a logout. @default 0 */
  waitReplicas?: number | undefined
  /** How long the replicas may take, in milliseconds. Keep it below the middleware's `storeTimeout`. @default 1_000 */
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
  if (looksLikeClient(options)) throw new TypeError(`${where}: expected an object of options, got a client: write redisStore({ client })`)
  const checks = new OptionChecks(where)
  checks.names(options, optionNames)
  const { client, ...rest } = options
  const redis = commandsOf(client)
  const expected = 'a client of redis 4.6 or later (createClient, createCluster, createSentinel) or of ioredis 5 or later (Redis, Cluster)'
  checks.option('client', client, redis !== undefined, expected + adviceOn(client), kindOf)
  const wait = checks.include(() => resolveWait(where, rest))
  checks.throwIfAny()
  return createRedisStore(redis!, firstConnectionOf(client as RedisConnection), wait!)
}

/** Checks the options about replicas and fills in their defaults. */
export function resolveWait(where: string, options: Omit<RedisStoreOptions, 'client'>): WaitSettings {
  const { waitReplicas = 0, waitTimeout = 1_000 } = options
  const checks = new OptionChecks(where)
  checks.option('waitReplicas', waitReplicas, isCount(waitReplicas), 'a whole number (0 = do not wait)')
  checks.option('waitTimeout', waitTimeout, isPositive(waitTimeout) && isCount(waitTimeout), 'a whole number of milliseconds above 0')
  checks.throwIfAny()
  return { waitReplicas, waitTimeout }
}

function commandsOf(client: unknown): RedisCommands | undefined {
  if (typeof client !== 'object' || client === null) return undefined
  // Both drivers have methods of these names, but those of ioredis are all lower-case.
  if (isIoRedis(client)) return new IoRedisCommands(client)
  if (isNodeRedis(client)) return new NodeRedisCommands(client)
  return undefined
}

function looksLikeClient(options: unknown): boolean {
  if (typeof options !== 'object' || options === null) return false
  const { get, set } = options as Record<string, unknown>
  return typeof get === 'function' && typeof set === 'function'
}

function adviceOn(client: unknown): string {
  if (typeof client === 'string' || client instanceof URL) return " (for a URL, use storeFromUrl('redis://…'))"
  if (client instanceof Promise) return ' (await the promise first)'
  if (typeof client !== 'object' || client === null) return ''
  if ('internal_send_command' in client) return ' (this is redis 3, whose methods take callbacks: npm install redis@latest)'
  if ('evalsha' in client && !('on' in client)) {
    return " (this looks like @upstash/redis, which talks HTTP and parses what is stored: use redis or ioredis with the database's rediss:// URL)"
  }
  return ''
}
