import { longestDelay } from '../../../delays.js'
import { emit } from '../../../events.js'
import type { Eviction } from './eviction.js'
import type { FileNames } from '../file-names.js'
import { hasCode } from '../fs-calls.js'
import { lockSweep } from '../session/lock-files.js'
import type { Sweep } from './sweep.js'

/**
 * How long after a creation the records are counted again, in milliseconds. The count includes the records of other processes, so that all
 * processes together get below the threshold.
 */
const recountAfter = 1000
/** The pause between two counts is at least this many times the duration of a count, so that counting takes a fiftieth of the time. */
const recountShare = 50
/** How long after a creation over the threshold the eviction begins, in milliseconds. */
const evictAfter = 100
/** After each count that fails, the pause doubles. It doubles this many times at most. */
const mostFailures = 10

export interface ScheduleOptions {
  /** The maximum number of records. `0`: no limit. */
  readonly threshold: number
  /** The time between two sweeps, in milliseconds. */
  readonly sweepEvery: number
}

/** Decides when to sweep the directory and when to evict records over the threshold, in the background. */
export class Schedule {
  readonly #names: FileNames
  readonly #sweep: Sweep
  readonly #eviction: Eviction
  readonly #options: ScheduleOptions
  readonly #closing: AbortSignal
  /** The number of records that an eviction leaves: 90 % of the threshold, so that many creations share its cost. */
  readonly #target: number
  #interval: NodeJS.Timeout | undefined
  #recount: { readonly timer: NodeJS.Timeout; readonly due: number } | undefined
  #running: Promise<void> = Promise.resolve()
  #isSweeping = false
  /** How many records there are, as far as this process knows. `undefined`: it has not counted yet. */
  #knownCount: number | undefined
  #creations = 0
  /** The duration of the last count, in milliseconds. */
  #lastDuration = 0
  /** The last eviction could not get below the threshold, so creations do not start another one at once. */
  #isStuck = false
  #failures = 0

  constructor(names: FileNames, sweep: Sweep, eviction: Eviction, options: ScheduleOptions, closing: AbortSignal) {
    this.#names = names
    this.#sweep = sweep
    this.#eviction = eviction
    this.#options = options
    this.#closing = closing
    this.#target = Math.ceil(options.threshold * 0.9)
  }

  /** Starts the regular sweep. Further calls do nothing. */
  start(): void {
    this.#interval ??= setInterval(() => {
      // If a sweep takes longer than the interval, further sweeps must not pile up before the next eviction.
      if (this.#isSweeping) return
      this.#isSweeping = true
      this.#run(() => this.#sweepRegularly())
    }, Math.min(this.#options.sweepEvery, longestDelay)).unref()
  }

  /** Call this after each creation. */
  noteCreation(): void {
    const { threshold } = this.#options
    if (threshold === 0) return
    this.#creations++
    if (this.#knownCount !== undefined) this.#knownCount++
    if (this.#knownCount !== undefined && this.#knownCount > threshold && !this.#isStuck) this.#plan(evictAfter)
    else this.#planRecount()
  }

  /** Stops the timers and waits for the work in progress. */
  async stop(): Promise<void> {
    clearInterval(this.#interval)
    clearTimeout(this.#recount?.timer)
    await this.#running
  }

  /** Runs work in the background, after the work that was started before. */
  #run(work: () => Promise<void>): void {
    this.#running = this.#running
      .then(() => (this.#closing.aborted ? undefined : work()))
      .catch((error: unknown) => emit({ type: 'store-error', id: undefined, error }))
  }

  #plan(delay: number): void {
    const due = performance.now() + delay
    if (this.#closing.aborted || (this.#recount && this.#recount.due <= due)) return
    clearTimeout(this.#recount?.timer)
    const timer = setTimeout(() => {
      this.#recount = undefined
      this.#run(() => this.#holdThreshold())
    }, Math.min(delay, longestDelay)).unref()
    this.#recount = { timer, due }
  }

  #planRecount(): void {
    this.#plan(Math.max(recountAfter, recountShare * this.#lastDuration) * 2 ** this.#failures)
  }

  /** Counts the records with a listing. The listing may miss records that are created meanwhile, so those are added. */
  async #countWith(list: () => Promise<number>): Promise<number> {
    this.#knownCount = 0
    try {
      const count = await list()
      this.#failures = 0
      this.#knownCount += count
      return this.#knownCount
    } catch (error) {
      this.#knownCount = undefined
      this.#failures = Math.min(this.#failures + 1, mostFailures)
      this.#planRecount()
      throw error
    }
  }

  async #holdThreshold(): Promise<void> {
    const { threshold } = this.#options
    const creations = this.#creations
    let count = this.#knownCount
    // Counting needs no lock.
    if (count === undefined || count <= threshold || this.#isStuck) {
      const began = performance.now()
      count = await this.#countWith(() => this.#eviction.count())
      this.#lastDuration = performance.now() - began
    }
    this.#isStuck = count > threshold
    const lock = this.#isStuck ? await lockSweep(this.#names) : undefined
    if (lock) {
      const expected = count
      try {
        this.#isStuck = (await this.#countWith(() => this.#eviction.evict(this.#target, threshold, expected, lock.isLost))) > threshold
      } finally {
        await lock.release()
      }
    }
    // Another process is evicting, or more records were created since the listing began.
    if (this.#isStuck || this.#creations !== creations) this.#planRecount()
  }

  async #sweepRegularly(): Promise<void> {
    try {
      // In every process, and not only in the one that gets the lock.
      this.#eviction.forgetAll()
      const lock = await lockSweep(this.#names).catch(ifMissing)
      if (!lock) return
      try {
        await this.#sweep.run(lock.isLost)
      } finally {
        await lock.release()
      }
      if (this.#options.threshold > 0) await this.#holdThreshold()
    } finally {
      this.#isSweeping = false
    }
  }
}

/** Without a directory there is nothing to sweep. */
function ifMissing(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error
  return undefined
}
