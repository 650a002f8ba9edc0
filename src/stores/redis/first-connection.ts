import { setTimeout as delay } from 'node:timers/promises'
import { reasonOf } from '../../errors.js'
import { addressOf, isConnecting, isReady, startConnecting, type RedisConnection } from './connection.js'

/** How long a call waits for the first connection, in milliseconds. It is below the middleware's default `storeTimeout` of 2 seconds. */
const longestWait = 1_500
/** How often it looks, in milliseconds. The clients have no event in common that says that they are connected. */
const interval = 5

/**
 * The first connection of a client. The calls that come before it wait for it: a client without an offline queue would refuse
 * them, and the first requests after a start would fail.
 */
export class FirstConnection {
  readonly #client: RedisConnection
  readonly #start: () => void
  #isOver = false
  #waiting: Promise<void> | undefined
  #hasFailed = false
  #wasConnected: boolean
  #isOutageReported = false

  /** @param start makes the client connect, if it has not been told to. */
  constructor(client: RedisConnection, start: () => void = () => startConnecting(client)) {
    this.#client = client
    this.#start = start
    this.#wasConnected = isReady(client)
    // An `error` event without a listener ends the process (node-redis) or is printed each time (ioredis). The store reports failures call
    // by call. Listeners of the application are called as before.
    client.on?.('error', (error) => this.#onError(error))
    // A cluster of node-redis says `connect`.
    for (const event of client.masters ? ['connect', 'ready'] : ['ready']) {
      client.on?.(event, () => {
        this.#wasConnected = true
        this.#isOutageReported = false
      })
    }
  }

  /** Where the client connects to, without a password. */
  get address(): string {
    return addressOf(this.#client)
  }

  /** Resolves when the first attempt to connect has ended, whatever came of it. */
  async wait(): Promise<void> {
    if (!this.#isOver) await (this.#waiting ??= this.#wait())
  }

  async #wait(): Promise<void> {
    this.#start()
    const end = performance.now() + longestWait
    while (isConnecting(this.#client) && !this.#hasFailed && performance.now() < end) await delay(interval)
    // Otherwise the application has not told its client to connect yet.
    this.#isOver = isReady(this.#client) || isConnecting(this.#client) || this.#hasFailed
    this.#waiting = undefined
  }

  /** Warns once for each outage: a lost connection is none if the client makes another one at once. */
  #onError(error: unknown): void {
    this.#hasFailed = true
    // Not every error is about the connection.
    if (isReady(this.#client)) return
    const isLoss = this.#wasConnected
    this.#wasConnected = false
    if (isLoss || this.#isOutageReported) return
    this.#isOutageReported = true
    process.emitWarning(`redisStore: cannot reach Redis at ${this.address}: ${reasonOf(error)}`, 'SessionWarning')
  }
}

const known = new WeakMap<RedisConnection, FirstConnection>()

/** Stores that share a client share this too, so that they add one listener. */
export function firstConnectionOf(client: RedisConnection): FirstConnection {
  const first = known.get(client) ?? new FirstConnection(client)
  known.set(client, first)
  return first
}
