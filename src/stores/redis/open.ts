import { loadDriver } from '../../load-driver.js'
import type { RedisCommands } from './commands.js'
import { ioRedisCommands, type IoRedisClient } from './ioredis.js'
import { isNodeRedis, nodeRedisCommands, type NodeRedisClient } from './node-redis.js'

/** A client that the store opens itself, and closes. */
export interface OpenedRedis {
  redis: RedisCommands
  release: () => Promise<void>
}

interface NodeRedisDriver {
  createClient: (options: object) => NodeRedisClient & {
    connect(): Promise<unknown>
    once(event: 'error', listener: () => void): unknown
    /** Since version 5; before, it is `disconnect`. */
    destroy?(): void
    disconnect?(): Promise<void>
  }
}

interface IoRedisDriver {
  Redis: new (url: string, options: object) => IoRedisClient & {
    on(event: 'error', listener: () => void): unknown
    connect(): Promise<void>
    disconnect(): void
  }
}

// Milliseconds, all below the middleware's storeTimeout (2 s) or beside it: what cannot be answered is refused soon, and
// a server that is back is found soon.
const connectTimeout = 1_500
const commandTimeout = 1_500
const longestRetry = 1_000
const pingInterval = 3_000
const silence = 10_000

/** Opens a client for the URL with whichever driver is installed; `waitTimeout` is how long `WAIT` may block. */
export function openRedis(url: string, waitTimeout: number): OpenedRedis {
  const { name, driver } = loadDriver("storeFromUrl('redis://…')", ['redis', 'ioredis'])
  const timeout = Math.max(commandTimeout, waitTimeout + 500)
  return name === 'redis' ? openNodeRedis(driver as NodeRedisDriver, url, timeout) : openIoRedis(driver as IoRedisDriver, url, timeout)
}

function openNodeRedis({ createClient }: NodeRedisDriver, url: string, timeout: number): OpenedRedis {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    pingInterval,
    // Its own timeout ends when a command is written to the socket, so it would bound nothing here; see `bounded`.
    commandOptions: { timeout: undefined },
    socket: { connectTimeout, socketTimeout: silence, reconnectStrategy: retryAfter }
  })
  if (!isNodeRedis(client)) throw new Error("storeFromUrl('redis://…'): the installed package redis is too old: npm install redis@latest")
  const redis = nodeRedisCommands(client)
  const connect = () => client.connect().catch(() => undefined)
  const drop = async () => {
    try {
      await (client.destroy ? client.destroy() : client.disconnect?.())
    } catch {
      // It was not connected.
    }
  }
  const open = once(() => {
    const failed = new Promise<void>((resolve) => void client.once('error', resolve))
    return Promise.race([connect(), failed])
  })
  // A connection that does not answer is given up, with all that waits on it, and made anew.
  const bounded = <T>(call: Promise<T>) => withTimeout(call, timeout, () => void drop().then(connect))
  return { redis: around(redis, open, bounded), release: drop }
}

function openIoRedis({ Redis }: IoRedisDriver, url: string, timeout: number): OpenedRedis {
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    connectTimeout,
    commandTimeout: timeout,
    socketTimeout: silence,
    maxRetriesPerRequest: 0,
    // A command whose answer was lost may have been carried out: it is for the caller to say whether to try again.
    autoResendUnfulfilledCommands: false,
    retryStrategy: retryAfter,
    // A master that became a replica: behind the same name there is a new one by now.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY')
  })
  // The store tells of failures call by call; without a listener ioredis prints each to the console.
  client.on('error', () => undefined)
  const open = once(() => client.connect().catch(() => undefined))
  return { redis: around(ioRedisCommands(client), open, (call) => call), release: async () => client.disconnect() }
}

/** With jitter, so that many servers do not come back at one moment. */
function retryAfter(tries: number): number {
  return Math.min(25 * 2 ** Math.min(tries, 10), longestRetry) * (0.75 + Math.random() / 2)
}

/**
 * The same commands, each after the first attempt to connect has ended one way or the other: with no offline queue the
 * first requests after a start would fail otherwise.
 */
function around(redis: RedisCommands, open: () => Promise<unknown>, bounded: <T>(call: Promise<T>) => Promise<T>): RedisCommands {
  const after = <Args extends unknown[], T>(call: (...args: Args) => Promise<T>) => async (...args: Args) => {
    await open()
    return bounded(call(...args))
  }
  return {
    keyPrefix: redis.keyPrefix,
    get: after((key) => redis.get(key)),
    setNew: after((key, text, ttl) => redis.setNew(key, text, ttl)),
    take: after((key) => redis.take(key)),
    takeAndWait: after((key, replicas, timeout) => redis.takeAndWait(key, replicas, timeout)),
    evalSha: after((sha, key, args) => redis.evalSha(sha, key, args)),
    eval: after((script, key, args) => redis.eval(script, key, args)),
    evictionPolicy: after(() => redis.evictionPolicy()),
    async *scan(pattern) {
      await open()
      yield* redis.scan(pattern)
    }
  }
}

function once<T>(work: () => Promise<T>): () => Promise<T> {
  let result: Promise<T> | undefined
  return () => (result ??= work())
}

async function withTimeout<T>(call: Promise<T>, timeout: number, onTimeout: () => void): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`Redis did not answer within ${timeout} ms`))
      onTimeout()
    }, timeout).unref()
  })
  try {
    return await Promise.race([call, late])
  } finally {
    clearTimeout(timer)
  }
}
