import { emit } from '../../events.js'

/** Removes expired sessions now and then, in the background. */
export class Pruning {
  readonly #interval: number
  readonly #prune: () => Promise<number>
  #timer: NodeJS.Timeout | undefined
  #running: Promise<void> | undefined

  /** @param interval in milliseconds; `0`: never. */
  constructor(interval: number, prune: () => Promise<number>) {
    this.#interval = interval
    this.#prune = prune
  }

  /** Starts the timer at the first call: a prefix that nobody uses needs none. */
  begin(): void {
    if (this.#timer !== undefined || this.#interval === 0) return
    this.#timer = setInterval(() => {
      // One that takes longer than the interval must not have another one beside it.
      this.#running ??= this.#run()
    }, this.#interval).unref()
  }

  /** Stops the timer and waits for what runs. */
  async end(): Promise<void> {
    clearInterval(this.#timer)
    await this.#running
  }

  async #run(): Promise<void> {
    try {
      await this.#prune()
    } catch (error) {
      emit({ type: 'store-error', id: undefined, error })
    } finally {
      this.#running = undefined
    }
  }
}
