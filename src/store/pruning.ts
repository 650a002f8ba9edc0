import { longestDelay } from '../delays.js'
import { emit } from '../events.js'

/** Calls `prune` at an interval, in the background. */
export class Pruning {
  readonly #interval: number
  readonly #prune: () => Promise<unknown>
  #timer: NodeJS.Timeout | undefined
  #isRunning = false
  #isStopped = false

  /**
   * @param interval in milliseconds; `0`: never.
   * @param prune removes records that are gone. Its errors are published as events.
   */
  constructor(interval: number, prune: () => Promise<unknown>) {
    this.#interval = interval
    this.#prune = prune
  }

  /** Starts the timer if it has not started. It starts with the first call to a scope, because an unused scope needs none. */
  begin(): void {
    if (this.#timer !== undefined || this.#interval === 0 || this.#isStopped) return
    this.#timer = setInterval(() => void this.#run(), Math.min(this.#interval, longestDelay)).unref()
  }

  stop(): void {
    this.#isStopped = true
    clearInterval(this.#timer)
  }

  async #run(): Promise<void> {
    // The interval may end before the last run has.
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
