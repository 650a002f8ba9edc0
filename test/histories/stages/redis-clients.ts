import type { RedisClient } from '../../../src/stores/redis/index.js'

/** How a Redis is reached. */
export type RedisAddress = { readonly url: string } | { readonly ports: readonly number[] }

/** Commands wait for a server that restarts, in milliseconds. */
const patience = 60_000

/** node-redis as the documentation says: it sends a command once, and a call fails when the connection breaks. */
export async function connectNodeRedis(address: RedisAddress): Promise<RedisClient> {
  const { createClient, createCluster } = await import('redis')
  const commandOptions = { timeout: patience }
  if ('url' in address) {
    return createClient({ url: address.url, disableOfflineQueue: true, commandOptions, socket: { reconnectStrategy } }).on('error', ignore).connect()
  }
  const rootNodes = address.ports.map((port) => ({ url: `redis://127.0.0.1:${port}` }))
  return createCluster({ rootNodes, commandOptions, defaults: { socket: { reconnectStrategy } } }).on('error', ignore).connect()
}

/** ioredis with its defaults: it sends a command again when the connection breaks before the answer. */
export async function connectIoRedis(address: RedisAddress): Promise<RedisClient> {
  const { Redis, Cluster } = await import('ioredis')
  const client = 'url' in address ? new Redis(address.url, { lazyConnect: true }) : new Cluster(address.ports.map((port) => ({ host: '127.0.0.1', port })), { lazyConnect: true })
  client.on('error', ignore)
  await client.connect()
  return client
}

/** How long to wait before the next try to connect, in milliseconds. */
function reconnectStrategy(tries: number): number {
  return Math.min(20 * 2 ** tries, 300)
}

function ignore(): void {}
