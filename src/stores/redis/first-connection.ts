import { setTimeout as delay } from 'node:timers/promises'
import { reasonOf } from '../../errors.js'
import { addressOf, isConnecting, isReady, startConnecting, type RedisConnection } from './connection.js'

/** How long a call waits for the first connection, in milliseconds: less than the middleware's default `storeTimeout` of 2 seconds. */
const longestWait = 1_500
/** How often it checks the state of the client, in milliseconds. No event for a connection is common to all clients. */
const interval = 5

/**
 * The first connection of a client. Earlier calls wait for it: a client without an offline queue would refuse them, and the first requests
 * after a start would fail.
 */
export class FirstConnection {
  readonly #client: RedisConnection
  readonly #start: () => void
  #isOver = false
  #waiting: Promise<void> | undefined
  #hasFailed = false
  #wasConnected: boolean
  #isOutageReported = false

  /** @param start makes the client connect if nobody has called its `connect()`. */
  constructor(client: RedisConnection, start: () => void = () => startConnecting(client)) {
    this.#client = client
    this.#start = start
    this.#wasConnected = isReady(client)
    // An `error` event without a listener ends the process (node-redis) or is printed each time (ioredis). The store reports the failure of
    // each call. Listeners of the application are called as before.
    client.on?.('error', (error) => this.#onError(error))
    // node-redis' cluster client emits `connect`.
    for (const event of client.masters ? ['connect', 'ready'] : ['ready']) {
      client.on?.(event, () => {
        this.#wasConnected = true
        this.#isOutageReported = false
      })
    }
  }

  /** The address of the server, without a password. */
  get address(): string {
    return addressOf(this.#client)
  }

  /** Resolves when the first attempt to connect has succeeded or failed. */
  async wait(): Promise<void> {
    if (this.#isOver) return
    this.#waiting ??= this.#wait().finally(() => {
      this.#waiting = undefined
    })
    await this.#waiting
  }

  /** Warns that Redis cannot be reached, once for each outage. */
  reportOutage(error: unknown): void {
    if (this.#isOutageReported) return
    this.#isOutageReported = true
    process.emitWarning(`redisStore: cannot reach Redis at ${this.address}: ${reasonOf(error)}`, 'SessionWarning')
  }

  async #wait(): Promise<void> {
    this.#start()
    const end = performance.now() + longestWait
    while (isConnecting(this.#client) && !this.#hasFailed && performance.now() < end) await delay(interval)
    // Otherwise the application has not called its client's connect() yet.
    this.#isOver = isReady(this.#client) || isConnecting(this.#client) || this.#hasFailed
  }

  /** Losing a connection is no outage yet, because the client may make another one at once. */
  #onError(error: unknown): void {
    this.#hasFailed = true
    // Not every error is about the connection.
    if (isReady(this.#client)) return
    const isLoss = this.#wasConnected
    this.#wasConnected = false
    if (!isLoss) this.reportOutage(error)
  }
}

const firstConnections = new WeakMap<RedisConnection, FirstConnection>()

/** Returns the same object for all stores that share a client, so that they add only one listener. */
export function firstConnectionOf(client: RedisConnection): FirstConnection {
  const first = firstConnections.get(client) ?? new FirstConnection(client)
  firstConnections.set(client, first)
  return first
}
