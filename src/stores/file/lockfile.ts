import { randomUUID } from 'node:crypto'
import { discard, hasCode, rename, syncDirectory, unlink, writeNew, type Writing } from './io.js'
import type { Names } from './names.js'
import type { Stamp } from './stamp.js'
import { isAt, type Swap } from './swap.js'

// The least that proper-lockfile allows. A lock left by a dead process is waited for as long.
const staleRecord = 2000
const staleSweep = 10_000

/** Held until `release`; `lost()` says whether somebody took it for stale meanwhile, after which the holder must stop. */
interface Lock {
  lost(): boolean
  release(): Promise<void>
}

/**
 * The stand-in for claims on file systems without links: the step from checking the revision to the rename is guarded by
 * a lock. It is weaker: a process that is stopped inside that step for longer than the lock lives can overwrite what
 * others wrote meanwhile, which no lock can prevent.
 */
export function createLocks(names: Names, writing: Writing): Swap {
  /** `false` as well when the lock is not to be had: the caller reads again and retries within its own limit. */
  async function locked(id: string, from: Stamp, action: (record: string) => Promise<void>): Promise<boolean> {
    const record = names.record(id)
    const lock = await acquire(record, names.lock(id), staleRecord, { retries: 80, factor: 1.2, minTimeout: 2, maxTimeout: 60, randomize: true })
    if (!lock) return false
    try {
      if (!(await isAt(record, id, from)) || lock.lost()) return false
      await action(record)
      if (writing.sync) await syncDirectory(names.dir)
      return true
    } finally {
      await lock.release()
    }
  }

  return {
    async replace(id, from, text, to) {
      const temporary = names.temporary(id, from.rev, randomUUID())
      try {
        await writeNew(temporary, text, to, writing)
      } catch (error) {
        // No directory, so no record.
        if (hasCode(error, 'ENOENT')) return false
        throw error
      }
      const done = await locked(id, from, (record) => rename(temporary, record)).catch(async (error: unknown) => {
        await discard(temporary)
        throw error
      })
      if (!done) await discard(temporary)
      return done
    },
    remove: (id, from) => locked(id, from, unlink),
    async close() {}
  }
}

/** The lock on what one process at a time does for a directory; `undefined` when another one has it. */
export function lockSweep(names: Names): Promise<Lock | undefined> {
  return acquire(names.dir, names.sweepLock, staleSweep, { retries: 0 })
}

interface Retries {
  retries: number
  factor?: number
  minTimeout?: number
  maxTimeout?: number
  randomize?: boolean
}

async function acquire(file: string, lockfilePath: string, stale: number, retries: Retries): Promise<Lock | undefined> {
  // Imported when needed, as it puts handlers on the process' signals.
  const { default: lockfile } = await import('proper-lockfile')
  let lost = false
  try {
    const release = await lockfile.lock(file, {
      lockfilePath,
      realpath: false,
      stale,
      update: stale / 2,
      retries,
      // The default throws from a timer, which takes the process down.
      onCompromised: () => {
        lost = true
      }
    })
    return {
      lost: () => lost,
      // A lost lock is somebody else's.
      release: () => release().catch(() => undefined)
    }
  } catch (error) {
    if (hasCode(error, 'ELOCKED')) return undefined
    throw error
  }
}
