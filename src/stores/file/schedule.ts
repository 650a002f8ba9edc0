import { longestDelay } from '../../delays.js'
import { emit } from '../../events.js'
import type { Eviction } from './eviction.js'
import type { FileNames } from './file-names.js'
import { hasCode } from './fs-calls.js'
import { lockSweep } from './lock-files.js'
import type { Sweep } from './sweep.js'

/**
 * How long after a creation the records are counted again, in milliseconds, whoever else creates some: so that all processes together are
 * not over the threshold once they rest.
 */
const recountAfter = 1000
/** At most a fiftieth of the time goes into counting. */
const recountShare = 50
/** How long after a creation over the threshold the eviction begins, in milliseconds. */
const evictAfter = 100
/** The longest pause between two counts that fail is this power of two of the shortest one. */
const mostFailures = 10

export interface ScheduleOptions {
  /** The maximum number of records. `0`: no limit. */
  readonly threshold: number
  /** The time between two sweeps, in milliseconds. */
  readonly sweepEvery: number
}

/** Decides when the directory is swept and its threshold held, in the background. */
export class Schedule {
  readonly #names: FileNames
  readonly #sweep: Sweep
  readonly #eviction: Eviction
  readonly #options: ScheduleOptions
  readonly #closing: AbortSignal
  /** To evict a tenth at a time lets as many new records share what it costs. */
  readonly #target: number
  #interval: NodeJS.Timeout | undefined
  #recount: { readonly timer: NodeJS.Timeout; readonly due: number } | undefined
  #running: Promise<void> = Promise.resolve()
  #isSweeping = false
  /** How many records there are, as far as this process knows. */
  #known: number | undefined
  #creations = 0
  /** The duration of the last count, in milliseconds. */
  #lastDuration = 0
  /** While records cannot be removed, being over the threshold must not make each creation look again. */
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
      // A sweep that takes longer than the interval must not have others behind it, and the eviction behind those.
      if (this.#isSweeping) return
      this.#isSweeping = true
      this.#run(() => this.#sweepRegularly())
    }, Math.min(this.#options.sweepEvery, longestDelay)).unref()
  }

  /** Call this after each creation. */
  created(): void {
    const { threshold } = this.#options
    if (threshold === 0) return
    this.#creations++
    if (this.#known !== undefined) this.#known++
    if (this.#known !== undefined && this.#known > threshold && !this.#isStuck) this.#plan(evictAfter)
    else this.#planRecount()
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    clearInterval(this.#interval)
    clearTimeout(this.#recount?.timer)
    await this.#running
  }

  /** One thing at a time in this process, and one process at a time for what is done under the lock. Nobody waits for it. */
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

  /** Takes over what a listing finds. It may miss what is created meanwhile, so those records are counted beside it. */
  async #learn(list: () => Promise<number>): Promise<number> {
    this.#known = 0
    try {
      const count = await list()
      this.#failures = 0
      this.#known += count
      return this.#known
    } catch (error) {
      this.#known = undefined
      this.#failures = Math.min(this.#failures + 1, mostFailures)
      this.#planRecount()
      throw error
    }
  }

  async #holdThreshold(): Promise<void> {
    const { threshold } = this.#options
    const creations = this.#creations
    let count = this.#known
    // A count needs no lock.
    if (count === undefined || count <= threshold || this.#isStuck) {
      const began = performance.now()
      count = await this.#learn(() => this.#eviction.count())
      this.#lastDuration = performance.now() - began
    }
    this.#isStuck = count > threshold
    const lock = this.#isStuck ? await lockSweep(this.#names) : undefined
    if (lock) {
      const expected = count
      try {
        this.#isStuck = (await this.#learn(() => this.#eviction.evict(this.#target, expected, lock.isLost))) > threshold
      } finally {
        await lock.release()
      }
    }
    // Another process evicts, or more records were created since the listing began.
    if (this.#isStuck || this.#creations !== creations) this.#planRecount()
  }

  async #sweepRegularly(): Promise<void> {
    try {
      // In every process, whichever gets the lock.
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
