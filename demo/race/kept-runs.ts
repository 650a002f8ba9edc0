import { randomBytes } from 'node:crypto'
import type { Run } from './run.js'

/** More runs are not kept: the oldest one goes. */
const mostRuns = 50

/** The last runs, so that a page about one can be reloaded. They hold nothing of the visitor who started them. */
export class KeptRuns {
  readonly #runs = new Map<string, Run>()

  /** @returns the name of the run, for the page's address. */
  keep(run: Run): string {
    const name = randomBytes(6).toString('base64url')
    this.#runs.set(name, run)
    if (this.#runs.size > mostRuns) this.#runs.delete(this.#runs.keys().next().value!)
    return name
  }

  find(name: unknown): Run | undefined {
    return typeof name === 'string' ? this.#runs.get(name) : undefined
  }
}
