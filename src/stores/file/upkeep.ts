import { longestDelay } from '../../delays.js'
import { lockSweep } from './lockfile.js'
import type { Names } from './names.js'
import type { Sweep } from './sweep.js'

export interface UpkeepOptions {
  names: Names
  sweep: Sweep
  /** The most records; `0`: no limit. */
  threshold: number
  /** Milliseconds between two sweeps. */
  sweepEvery: number
  /** Told of failures: nobody waits for what goes on here. */
  failed: (error: unknown) => void
}

/** Decides when the directory is looked after, in the background. */
export interface Upkeep {
  /** Starts the regular sweep; further calls do nothing. */
  start(): void
  /** To be told after every record that was made. */
  created(): void
  /** Resolves when nothing is going on any more. */
  stop(): Promise<void>
}

// A count is repeated this long after a record was made, whoever else makes some: so that all processes together are not
// over the threshold once they rest. At most a fiftieth of the time goes into it.
const recountAfter = 1000
const recountShare = 50
const promptly = 100

export function createUpkeep({ names, sweep, threshold, sweepEvery, failed }: UpkeepOptions): Upkeep {
  let stopped = false
  let interval: NodeJS.Timeout | undefined
  let recount: { timer: NodeJS.Timeout; due: number } | undefined
  let running: Promise<void> = Promise.resolve()
  let known: number | undefined
  let lastDuration = 0
  // While records cannot be removed, being over the threshold must not make every new one look again.
  let stuck = false
  let failures = 0
  let sweeping = false
  let creations = 0

  // A tenth at a time, so that what it costs is shared by as many new records.
  const target = Math.ceil(threshold * 0.9)

  /** One thing at a time in this process, and one process at a time for what `work` does under the lock. */
  function run(work: () => Promise<void>): void {
    running = running.then(() => (stopped ? undefined : work())).catch(failed)
  }

  function plan(delay: number): void {
    const due = performance.now() + delay
    if (stopped || (recount && recount.due <= due)) return
    clearTimeout(recount?.timer)
    const timer = setTimeout(() => {
      recount = undefined
      run(holdThreshold)
    }, Math.min(delay, longestDelay)).unref()
    recount = { timer, due }
  }

  function planRecount(): void {
    plan(Math.max(recountAfter, recountShare * lastDuration) * 2 ** failures)
  }

  /** Takes over what a listing finds; what is made from now on may be missed by it, so it is counted beside it. */
  async function learn(list: () => Promise<number>): Promise<number> {
    known = 0
    try {
      const count = await list()
      failures = 0
      known += count
      return known
    } catch (error) {
      known = undefined
      failures = Math.min(failures + 1, 10)
      planRecount()
      throw error
    }
  }

  async function holdThreshold(): Promise<void> {
    const before = creations
    // Counted first unless it is known to be over: a count needs no lock.
    let count = known
    if (count === undefined || count <= threshold || stuck) {
      const began = performance.now()
      count = await learn(() => sweep.count())
      lastDuration = performance.now() - began
    }
    stuck = count > threshold
    const lock = stuck ? await lockSweep(names) : undefined
    if (lock) {
      try {
        const expected = count
        stuck = (await learn(() => sweep.evict(target, expected, () => lock.lost()))) > threshold
      } finally {
        await lock.release()
      }
    }
    // Another process is at it, or there are more since the listing began.
    if (stuck || creations !== before) planRecount()
  }

  async function regular(): Promise<void> {
    try {
      await sweepOnce()
    } finally {
      sweeping = false
    }
  }

  async function sweepOnce(): Promise<void> {
    // Whoever gets the lock.
    sweep.forget()
    const lock = await lockSweep(names).catch((error: unknown) => {
      // No directory: nothing to look after.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    })
    if (!lock) return
    try {
      await sweep.prune()
    } finally {
      await lock.release()
    }
    if (threshold > 0) await holdThreshold()
  }

  return {
    start() {
      interval ??= setInterval(() => {
        // One that takes longer than the interval must not have a line of others behind it, and the threshold behind them.
        if (sweeping) return
        sweeping = true
        run(regular)
      }, Math.min(sweepEvery, longestDelay)).unref()
    },
    created() {
      if (threshold === 0) return
      creations++
      if (known !== undefined) known++
      if (known !== undefined && known > threshold && !stuck) plan(promptly)
      else planRecount()
    },
    async stop() {
      stopped = true
      clearInterval(interval)
      clearTimeout(recount?.timer)
      await running
    }
  }
}
