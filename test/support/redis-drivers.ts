import { createRequire } from 'node:module'
import type * as NodeRedis from 'redis'
import type * as IoRedis from 'ioredis'
import type { RedisClient } from '../../src/stores/redis/index.js'
import { masterName } from './redis.js'

/** A client, and a function that closes it at once. */
export interface Connected {
  client: RedisClient
  close: () => void
}

/** A client that goes on trying to connect until there is a server. */
export interface Opened extends Connected {
  connecting: Promise<unknown>
}

export interface Driver {
  /** The name and version of its package, for example `redis 6.3.1`. */
  name: string
  open: (url: string) => Opened
  connect: (url: string) => Promise<Connected>
  connectCluster: (ports: number[]) => Promise<Connected>
  /** Absent: this version has no client for Sentinel. */
  connectSentinel?: (sentinels: { host: string; port: number }[]) => Promise<Connected>
}

const require = createRequire(import.meta.url)

/**
 * The drivers that are installed: `redis` and `ioredis`, and older major versions where they are under an alias
 * (`npm install --no-save redis4@npm:redis@4 redis5@npm:redis@5 ioredis5@npm:ioredis@5`).
 */
export const drivers: Driver[] = [
  ...['redis', 'redis5', 'redis4'].flatMap((name) => nodeRedis(name)),
  ...['ioredis', 'ioredis5'].flatMap((name) => ioRedis(name))
]

function nodeRedis(name: string): Driver[] {
  const version = versionOf(name)
  if (version === undefined) return []
  // Load a driver only when a test connects with it: all five take half a second.
  const driver = () => require(name) as typeof NodeRedis
  // The timeouts are long, because slowness on a busy machine is no failure. The middleware's storeTimeout limits a request.
  const commandOptions = { timeout: 60_000 }
  const open = (url: string): Opened => {
    const client = driver().createClient({ url, disableOfflineQueue: true, commandOptions, socket: socketOptions() })
    return { client, close: closing(client), connecting: client.on('error', nothing).connect() }
  }
  return [
    {
      name: `redis ${version}`,
      open,
      async connect(url) {
        const opened = open(url)
        await opened.connecting
        return opened
      },
      async connectCluster(ports) {
        const client = driver().createCluster({ rootNodes: ports.map((port) => ({ url: `redis://127.0.0.1:${port}` })), commandOptions, defaults: { socket: socketOptions() } })
        await client.on('error', nothing).connect()
        return { client, close: closing(client) }
      },
      ...(parseInt(version) >= 5 && {
        async connectSentinel(sentinelRootNodes) {
          const client = driver().createSentinel({ name: masterName, sentinelRootNodes, commandOptions, nodeClientOptions: { socket: socketOptions() }, sentinelClientOptions: { socket: socketOptions() } })
          await client.on('error', nothing).connect()
          return { client, close: closing(client) }
        }
      })
    }
  ]
}

function ioRedis(name: string): Driver[] {
  const version = versionOf(name)
  if (version === undefined) return []
  const driver = () => require(name) as typeof IoRedis
  const options = { connectTimeout: 60_000, enableOfflineQueue: false, lazyConnect: true, maxRetriesPerRequest: 0, retryStrategy: (tries: number) => Math.min(20 * 2 ** tries, 300) }
  const open = (url: string): Opened => {
    const client = new (driver().Redis)(url, options).on('error', nothing)
    return { client, close: () => client.disconnect(), connecting: client.connect() }
  }
  return [
    {
      name: `ioredis ${version}`,
      open,
      async connect(url) {
        const opened = open(url)
        await opened.connecting
        return opened
      },
      async connectCluster(ports) {
        const client = new (driver().Cluster)(ports.map((port) => ({ host: '127.0.0.1', port })), { lazyConnect: true }).on('error', nothing)
        await client.connect()
        return { client, close: () => client.disconnect() }
      },
      async connectSentinel(sentinels) {
        const client = new (driver().Redis)({ ...options, sentinels, name: masterName, reconnectOnError: (error) => error.message.startsWith('READONLY') }).on('error', nothing)
        await client.connect()
        return { client, close: () => client.disconnect() }
      }
    }
  ]
}

/** Each client gets its own object: node-redis writes the address into it. */
function socketOptions() {
  return { connectTimeout: 60_000, reconnectStrategy: (tries: number) => Math.min(20 * 2 ** tries, 300) }
}

/** Closes a client at once: with `destroy` since version 5, with `disconnect` in version 4. */
function closing(client: { destroy?: () => unknown; disconnect?: () => unknown }): () => void {
  return () => {
    const gone = client.destroy ? client.destroy() : client.disconnect?.()
    void Promise.resolve(gone).catch(nothing)
  }
}

function nothing(): void {}

function versionOf(name: string): string | undefined {
  try {
    return (require(`${name}/package.json`) as { version: string }).version
  } catch {
    return undefined
  }
}
