import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { SessionError } from '../../../errors.js'
import { assertInTime } from './claims.js'
import { holdsState, type CompareAndSwap, type FileContext } from './compare-and-swap.js'
import { syncDirectory } from '../directory.js'
import type { FileNames } from '../file-names.js'
import type { FileTimes } from '../file-times.js'
import { discard, hasCode, lstat, rename, rmdir, unlessMissing, unlink, writeNew } from '../fs-calls.js'

/** After how many milliseconds without renewal another process may take over a lock. proper-lockfile allows no less than 2000. */
const staleRecord = 2000
const staleSweep = 10_000
/** For how many milliseconds a call waits for a lock, which is long enough for the lock of a dead process to become stale. */
const patience = 4000
/** The shortest and the longest pause between two tries, in milliseconds. */
const shortestPause = 2
const longestPause = 60

/** A lock that is held until `release`. */
export interface Lock {
  /** Reports whether another process has taken the lock over as stale. The holder must then stop. */
  readonly isLost: () => boolean
  readonly release: () => Promise<void>
}

/**
 * Compare-and-swap for file systems without hard links: a lock guards the step from the check to the rename.
 *
 * It is weaker than claims: a process that is stopped inside that step for longer than the lock lives can overwrite what others wrote in
 * the meantime. No lock can prevent that.
 */
export class Locks implements CompareAndSwap {
  readonly #context: FileContext

  constructor(context: FileContext) {
    this.#context = context
  }

  async create(id: string, text: string, times: FileTimes, began: number): Promise<boolean> {
    const { names, writeOptions } = this.#context
    const temporary = names.temporary(id, randomUUID())
    const record = names.record(id)
    await writeNew(temporary, text, times, writeOptions)
    let created = false
    try {
      const isFree = async (): Promise<boolean> => (await lstat(record)) === undefined
      created = await this.#locked(id, isFree, () => {
        assertInTime(began)
        return rename(temporary, record)
      })
      // The id is free, so only the lock was missing.
      if (!created && (await isFree())) throw new SessionError('ERR_SESSION_CONFLICT', lockedCreation)
    } finally {
      if (!created) await discard(temporary)
    }
    return created
  }

  async replace(id: string, from: FileTimes, text: string, times: FileTimes): Promise<boolean> {
    const { names, writeOptions } = this.#context
    const temporary = names.temporary(id, randomUUID())
    // There is no directory, so there is no record.
    if (!(await unlessMissing(writeNew(temporary, text, times, writeOptions)))) return false
    let replaced = false
    try {
      replaced = await this.#locked(id, this.#isUnchanged(id, from), () => rename(temporary, names.record(id)))
    } finally {
      if (!replaced) await discard(temporary)
    }
    return replaced
  }

  remove(id: string, from: FileTimes): Promise<boolean> {
    return this.#locked(id, this.#isUnchanged(id, from), () => unlink(this.#context.names.record(id)))
  }

  #isUnchanged(id: string, from: FileTimes): () => Promise<boolean> {
    const { names, largest } = this.#context
    return () => holdsState(names.record(id), id, from, largest)
  }

  /** Acts while it holds the record's lock, if the condition is true. `false`: it is not, or the lock could not be acquired in time. */
  async #locked(id: string, condition: () => Promise<boolean>, act: () => Promise<void>): Promise<boolean> {
    const { names, writeOptions } = this.#context
    const lock = await waitFor(names.record(id), names.lock(id))
    if (!lock) return false
    try {
      if (!(await condition()) || lock.isLost()) return false
      await act()
      if (writeOptions.sync) await syncDirectory(names.dir)
      return true
    } finally {
      await lock.release()
    }
  }
}

const lockedCreation = 'a new session could not be stored, because another process has held its lock file for too long: repeat the request'

/** Acquires the lock of the work that only one process at a time does for a directory. `undefined`: another process has it. */
export function lockSweep(names: FileNames): Promise<Lock | undefined> {
  return acquire(names.dir, names.sweepLock, staleSweep)
}

/** proper-lockfile's own retries would also repeat what fails for good, as on a full disk, and would hide the reason for seconds. */
async function waitFor(file: string, lockfilePath: string): Promise<Lock | undefined> {
  const end = performance.now() + patience
  for (let pause = shortestPause; ; pause = Math.min(pause * 1.2, longestPause)) {
    const lock = await acquire(file, lockfilePath, staleRecord)
    if (lock || performance.now() > end) return lock
    await delay(pause * (1 + Math.random()))
  }
}

/** Tries once to acquire a lock. `undefined`: another process has it. */
async function acquire(file: string, lockfilePath: string, stale: number): Promise<Lock | undefined> {
  const lockfile = await loadLockfile()
  let lost = false
  try {
    const release = await lockfile.lock(file, {
      lockfilePath,
      realpath: false,
      stale,
      update: stale / 2,
      retries: 0,
      // By default it throws in a timer, which would end the process.
      onCompromised: () => {
        lost = true
      }
    })
    return {
      isLost: () => lost,
      async release() {
        // If the lock was lost, it belongs to another process and cannot be released. Otherwise try again, or others would wait until it is stale.
        await release().catch(() => (lost ? undefined : rmdir(lockfilePath).catch(() => undefined)))
      }
    }
  } catch (error) {
    if (hasCode(error, 'ELOCKED') || wasRemoved(error)) return undefined
    throw error
  }
}

/** Reports whether another process, which had found an older lock stale, removed the new one as soon as it was made. */
function wasRemoved(error: unknown): boolean {
  return hasCode(error, 'ENOENT') && (error as NodeJS.ErrnoException).syscall !== 'mkdir'
}

let loading: ReturnType<typeof load> | undefined

/**
 * Loads proper-lockfile when it is needed for the first time, and puts the listeners of signal-exit before those of the application.
 *
 * proper-lockfile's dependency signal-exit listens for signals, to remove locks, and kills the process if it counts no other listener. It must
 * not come last: Node removes a listener of `process.once('SIGTERM', …)` before it runs, so that an application which shuts down like that would be
 * killed. And it must not be removed: a signal that came just before would be lost, and the process would not end.
 */
function loadLockfile(): ReturnType<typeof load> {
  return (loading ??= load())
}

async function load() {
  const { default: lockfile } = await import('proper-lockfile')
  // No signal is delivered before this: the event loop has not gone on since proper-lockfile began to listen.
  for (const event of process.eventNames()) if (typeof event === 'string' && event.startsWith('SIG')) putSignalExitFirst(event as NodeJS.Signals)
  return lockfile
}

function putSignalExitFirst(signal: NodeJS.Signals): void {
  const listeners = process.listeners(signal)
  const theirs = listeners.filter(isOfSignalExit)
  if (listeners.slice(0, theirs.length).every(isOfSignalExit)) return
  for (const listener of theirs.toReversed()) {
    process.removeListener(signal, listener)
    process.prependListener(signal, listener)
  }
}

/** Reports whether a listener is that of a copy of signal-exit, whose variables may have been renamed by a bundler. */
function isOfSignalExit(listener: unknown): boolean {
  return /\.listeners\([^]*\.count\b/.test(String(listener))
}
