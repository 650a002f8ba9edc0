import { isGone } from '../../../store/index.js'
import { finishClaim } from '../session/claims.js'
import { holdsState, type FileContext } from '../session/compare-and-swap.js'
import { forEachInParallel, listPages } from '../directory.js'
import type { Entry } from '../file-names.js'
import { classOf, movedClass, type FileTimes } from '../file-times.js'
import { lstat, unlessMissing, unlink } from '../fs-calls.js'
import type { OwnerIndex } from '../session/owner-index.js'
import type { SessionFiles } from '../session/session-files.js'

/** The age in milliseconds after which a temporary file is removed. Its process is dead, or was stopped for so long that its call fails. */
const keepTemporary = 3_600_000

/** Removes records that are gone, and what dead processes left behind. */
export class Sweep {
  readonly #context: FileContext
  readonly #files: SessionFiles
  readonly #owners: OwnerIndex
  readonly #now: () => number
  readonly #closing: AbortSignal

  constructor(context: FileContext, files: SessionFiles, owners: OwnerIndex, now: () => number, closing: AbortSignal) {
    this.#context = context
    this.#files = files
    this.#owners = owners
    this.#now = now
    this.#closing = closing
  }

  /** Sweeps the directory and returns how many records it removed. @param isLost reports whether another process has taken over the lock. */
  async run(isLost = (): boolean => false): Promise<number> {
    const isOver = (): boolean => this.#closing.aborted || isLost()
    // Use the clock of the system and not the option `now`, because it is compared with the times of files that other processes made.
    const began = Date.now()
    let removed = 0
    for await (const page of listPages(this.#context.names, isOver)) {
      await forEachInParallel(page, isOver, async (entry) => {
        if (entry.kind !== 'record') await this.#tidy(entry)
        else if (await this.#removeIfGone(entry.id)) removed++
      })
    }
    if (!isOver()) await this.#owners.sweep(began, isOver)
    return removed
  }

  async #removeIfGone(id: string): Promise<boolean> {
    const stats = await lstat(this.#context.names.record(id))
    if (!stats || stats.mtimeMs > this.#now()) return false
    const times = await this.#files.readState(id, stats)
    return times !== undefined && isRecordGone(times, this.#now()) && this.#files.removeSeen(id, times)
  }

  async #tidy(entry: Exclude<Entry, { kind: 'record' }>): Promise<void> {
    const { names, largest } = this.#context
    const path = entry.kind === 'claim' ? names.claim(entry.id, entry.from, entry.generation) : entry.path
    const stats = await lstat(path)
    if (!stats || Date.now() - stats.ctimeMs < keepTemporary) return
    // A claim must not be removed while the record is in the state for which it was made: see claims.ts.
    if (entry.kind === 'claim' && (await holdsState(names.record(entry.id), entry.id, entry.from, largest))) {
      await finishClaim(this.#context, entry.id, entry.from, entry.generation)
    } else {
      // A failure ends the sweep, because the index of owners relies on the removal of old temporary files (owner-index.ts).
      await unlessMissing(unlink(path))
    }
  }
}

function isRecordGone(times: FileTimes, now: number): boolean {
  return isGone({ expires: times.deadline, ...(classOf(times) === movedClass ? { moved: true } : {}) }, now)
}
