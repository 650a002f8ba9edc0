import { setTimeout as delay } from 'node:timers/promises'
import { SessionError } from '../errors.js'

/** How long `close()` waits for calls in progress, in milliseconds: longer than any middleware's `storeTimeout` should be. */
const longestWait = 5_000

/** Counts the calls of one store that are in progress. `close()` refuses further calls and waits for those in progress. */
export class OpenCalls {
  readonly #store: string
  /** The number of calls in progress. (For the cost of a `Set` of them, see table.ts.) */
  #pending = 0
  /** Called when the last call has ended. */
  #onIdle: (() => void) | undefined
  #closed = false

  /** @param store the name of the store in the error for a call after `close()`. */
  constructor(store: string) {
    this.#store = store
  }

  get closed(): boolean {
    return this.#closed
  }

  /** @throws SessionError `ERR_SESSION_STORE` after `close()`. */
  assertOpen(): void {
    if (this.#closed) throw new SessionError('ERR_SESSION_STORE', `the ${this.#store} store is closed: make a new one to go on`)
  }

  /** Call this when a call begins, and `end()` when it ends. @throws SessionError `ERR_SESSION_STORE` after `close()`. */
  begin(): void {
    this.assertOpen()
    this.#pending++
  }

  end(): void {
    if (--this.#pending === 0) this.#onIdle?.()
  }

  /** Resolves when no call is in progress any more, or after five seconds. */
  async close(): Promise<void> {
    this.#closed = true
    if (this.#pending === 0) return
    const stop = new AbortController()
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve
    })
    await Promise.race([idle, delay(longestWait, undefined, { ref: false, signal: stop.signal }).catch(() => undefined)])
    stop.abort()
  }
}
