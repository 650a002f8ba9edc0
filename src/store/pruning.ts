import { longestDelay } from '../delays.js'
import { emit } from '../events.js'

/** Removes records that are gone now and then, in the background. */
export class Pruning {
  readonly #interval: number
  readonly #prune: () => Promise<unknown>
  #timer: NodeJS.Timeout | undefined
  #isRunning = false
  #isStopped = false

  /**
   * @param interval in milliseconds; `0`: never.
   * @param prune rejects with a `SessionError` when it fails, which becomes an event.
   */
  constructor(interval: number, prune: () => Promise<unknown>) {
    this.#interval = interval
    this.#prune = prune
  }

  /** Starts the timer, once. A scope that nobody uses needs none. */
  begin(): void {
    if (this.#timer !== undefined || this.#interval === 0 || this.#isStopped) return
    this.#timer = setInterval(() => void this.#run(), Math.min(this.#interval, longestDelay)).unref()
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  async #run(): Promise<void> {
    // One that takes longer than the interval must not have another one beside it.
    if (this.#isRunning) return
    this.#isRunning = true
    try {
      await this.#prune()
    } catch (error) {
      emit({ type: 'store-error', id: undefined, error })
    } finally {
      this.#isRunning = false
    }
  }
}
