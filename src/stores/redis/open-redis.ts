import { createConnection } from 'node:net'
import { assertOptionNames } from '../../checks.js'
import type { SessionStore } from '../../store/index.js'
import { loadDriver } from '../load-driver.js'
import { defaultPort } from './connection.js'
import { createRedisStore } from './create-redis-store.js'
import { FirstConnection } from './first-connection.js'
import { IoRedisCommands, type IoRedisClient } from './ioredis.js'
import { NodeRedisCommands, type NodeRedisClient } from './node-redis.js'
import type { WaitSettings } from './redis-backend.js'
import { resolveWait, type RedisStoreOptions } from './redis-store.js'
import { WrappedCommands } from './wrapped-commands.js'

interface NodeRedisDriver {
  createClient: (options: object) => NodeRedisClient & {
    connect(): Promise<unknown>
    /** Since version 5. Before, it is `disconnect`. */
    destroy?(): void
    disconnect?(): Promise<void>
  }
}

interface IoRedisDriver {
  Redis: new (url: string, options: object) => IoRedisClient & { disconnect(): void }
}

// All in milliseconds. Connecting and commands time out before the middleware's storeTimeout (2 s), so that the error says why.
const connectTimeout = 1_500
const commandTimeout = 1_500
/** The longest pause before the client tries to connect again: a server that is back is found soon. */
const longestRetryPause = 1_000
const pingInterval = 3_000
/** After so long without an answer, also to pings, the client makes a new connection. */
const longestSilence = 10_000

/** The options of a store that a URL names. The options of its client are fixed, so that no command waits for ever. */
export type RedisUrlOptions = Omit<RedisStoreOptions, 'client'>

/**
 * Opens `redis://[user:password@]host[:port][/database]`, or `rediss://…` with TLS, with whichever driver is installed. It connects with
 * the first call, and warns before that if nothing listens at the address. `close()` closes the client.
 */
export function openRedis(url: string, options: RedisUrlOptions, where: string): SessionStore {
  assertOptionNames(where, options, ['waitReplicas', 'waitTimeout'])
  const wait = resolveWait(where, options)
  if (!/^rediss?:\/\//i.test(url) || !URL.canParse(url)) throw new TypeError(`${where}: url must be like redis://localhost:6379`)
  const { name, driver } = loadDriver("storeFromUrl('redis://…')", ['redis@4.6', 'ioredis@5'])
  const timeout = Math.max(commandTimeout, wait.waitTimeout + 500)
  return name === 'redis' ? openNodeRedis(driver as NodeRedisDriver, url, timeout, wait) : openIoRedis(driver as IoRedisDriver, url, timeout, wait)
}

function openNodeRedis({ createClient }: NodeRedisDriver, url: string, timeout: number, wait: WaitSettings): SessionStore {
  const client = createClient({
    url,
    disableOfflineQueue: true,
    pingInterval,
    // The driver's own timeout ends when a command is written to the socket. `withTimeout` limits the time until the answer instead.
    commandOptions: { timeout: undefined },
    socket: { connectTimeout, socketTimeout: longestSilence, reconnectStrategy: retryAfter }
  })
  let isClosed = false
  const connect = () => {
    if (!isClosed) client.connect().catch(() => undefined)
  }
  const drop = async () => {
    try {
      await (client.destroy ? client.destroy() : client.disconnect?.())
    } catch {
      // It was not connected.
    }
  }
  let isStarted = false
  const connection = new FirstConnection(client, () => {
    if (!isStarted) connect()
    isStarted = true
  })
  // If a command is not answered in time, close the connection, which fails every command that waits for it, and make a new one.
  const redis = new WrappedCommands(new NodeRedisCommands(client), (command) => withTimeout(command(), timeout, () => void drop().then(connect)))
  return createRedisStore(redis, connection, wait, {
    start: () => warnIfDown(url, connection),
    async close() {
      isClosed = true
      await drop()
    }
  })
}

function openIoRedis({ Redis }: IoRedisDriver, url: string, timeout: number, wait: WaitSettings): SessionStore {
  const client = new Redis(url, {
    lazyConnect: true,
    enableOfflineQueue: false,
    connectTimeout,
    commandTimeout: timeout,
    socketTimeout: longestSilence,
    maxRetriesPerRequest: 0,
    // The store would survive commands that are sent again, but it is better to fail the request than to let it wait for them.
    autoResendUnfulfilledCommands: false,
    retryStrategy: retryAfter,
    // The master has become a replica. The same host name may lead to the new master now.
    reconnectOnError: (error: Error) => error.message.startsWith('READONLY')
  })
  const connection = new FirstConnection(client)
  return createRedisStore(new IoRedisCommands(client), connection, wait, {
    start: () => warnIfDown(url, connection),
    close: async () => client.disconnect()
  })
}

/** Warns if nothing listens at the address. It does not use the driver, whose connection would keep a process alive that serves nothing. */
function warnIfDown(url: string, connection: FirstConnection): void {
  const { hostname, port } = new URL(url)
  const host = hostname.replace(/^\[(.*)\]$/, '$1') || 'localhost'
  const socket = createConnection({ host, port: Number(port || defaultPort), timeout: connectTimeout }).unref()
  socket.once('connect', () => socket.destroy())
  socket.once('timeout', () => socket.destroy(new Error(`nothing answered within ${connectTimeout} ms`)))
  socket.once('error', (error) => connection.reportOutage(error))
}

/** The pause in milliseconds before another try to connect. It is random, so that many servers do not connect at the same moment. */
function retryAfter(tries: number): number {
  return Math.min(25 * 2 ** Math.min(tries, 10), longestRetryPause) * (0.75 + Math.random() / 2)
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
