/** Runs one job at a time. The others wait, and of these only so many. */
export class OneAtATime {
  readonly #mostWaiting: number
  #last: Promise<unknown> = Promise.resolve()
  #jobs = 0

  constructor(mostWaiting: number) {
    this.#mostWaiting = mostWaiting
  }

  /** @returns `undefined` if too many jobs are waiting already. */
  run<T>(job: () => Promise<T>): Promise<T> | undefined {
    if (this.#jobs > this.#mostWaiting) return undefined
    this.#jobs++
    const result = this.#last.then(job).finally(() => this.#jobs--)
    // The next job runs whether or not this one fails.
    this.#last = result.catch(() => undefined)
    return result
  }
}
