import { emit } from '../../../events.js'
import { isLive } from '../../../store/index.js'
import { warnOnce } from '../../../warn-once.js'
import { forEachInParallel, listPages, recordIds } from '../directory.js'
import type { FileNames } from '../file-names.js'
import { classOf, movedClass, ownedClass, type FileTimes } from '../file-times.js'
import { lstat } from '../fs-calls.js'
import { LowestRanks, type Candidate } from './lowest-ranks.js'
import type { SessionFiles } from '../session/session-files.js'

/** How many states are remembered. They take about 25 MB. Other states are read from the directory. */
const mostStates = 100_000
/** How many candidates one listing collects. They take about 9 MB. If more records must be removed, there are several rounds. */
const mostCandidates = 200_000
/** How many candidates are collected beyond the expected number, because records are created while the directory is listed. */
const spareCandidates = 1000

/** If a candidate's deadline moved by less than this, in milliseconds, the candidate is evicted all the same. */
const smallMove = 5000

/** Later deadlines have the same rank, so that ranks are exact numbers. In milliseconds since the epoch (the year 65 000). */
const lastDeadline = 2e15

/**
 * Removes records when there are too many: those that have expired first, then sessions without an owner, then owned ones; within a class,
 * those whose deadline is nearest.
 */
export class Eviction {
  readonly #names: FileNames
  readonly #files: SessionFiles
  readonly #now: () => number
  readonly #closing: AbortSignal
  /**
   * The last known state of each record, so that an eviction need not look at every file. Another process may have changed a record since. So
   * a record is removed only if it is still in this state, and each regular sweep forgets all states.
   */
  readonly #states = new Map<string, FileTimes>()

  constructor(names: FileNames, files: SessionFiles, now: () => number, closing: AbortSignal) {
    this.#names = names
    this.#files = files
    this.#now = now
    this.#closing = closing
  }

  /** Remembers the state of a record. */
  remember(id: string, times: FileTimes): void {
    if (this.#states.size < mostStates || this.#states.has(id)) this.#states.set(id, times)
  }

  /** Remembers the state of a record if an earlier one of it is remembered. */
  update(id: string, times: FileTimes): void {
    if (this.#states.has(id)) this.#states.set(id, times)
  }

  forget(id: string): void {
    this.#states.delete(id)
  }

  forgetAll(): void {
    this.#states.clear()
  }

  /** Counts the records. */
  async count(): Promise<number> {
    let count = 0
    for await (const page of listPages(this.#names, () => this.#closing.aborted)) count += recordIds(page).length
    return count
  }

  /**
   * Removes records until there are at most `target`, and returns how many are left.
   *
   * Sessions of users who are logged in are removed only if they alone are more than `threshold`. So visitors cannot end one, however many
   * come.
   *
   * @param expected how many there are, as far as is known.
   */
  async evict(target: number, threshold: number, expected: number, isLost: () => boolean): Promise<number> {
    const isOver = (): boolean => this.#closing.aborted || isLost()
    const used = new Set<string>()
    for (let most = expected; ; ) {
      const capacity = Math.min(mostCandidates, Math.max(most - target, 0) + spareCandidates)
      const { count, users, lowestRanks } = await this.#candidates(capacity, isOver)
      const spared = users > threshold ? target : Math.max(users, target)
      const usedBefore = used.size
      let removed = 0
      await forEachInParallel(lowestRanks.lowest(Math.max(count - spared, 0)), isOver, async (candidate) => {
        if (await this.#evictOne(candidate, used)) removed++
      })
      most = count - removed
      const isStuck = removed === 0 && used.size === usedBefore
      if (most <= spared || isStuck || isOver()) return most
    }
  }

  async #candidates(capacity: number, isOver: () => boolean): Promise<{ count: number; users: number; lowestRanks: LowestRanks }> {
    const lowestRanks = new LowestRanks(capacity)
    let count = 0
    let users = 0
    const offer = (id: string, times: FileTimes, now: number): void => {
      if (classOf(times) === ownedClass && times.deadline > now) users++
      lowestRanks.offer({ id, rank: rankOf(times, now) })
    }
    for await (const page of listPages(this.#names, isOver)) {
      const now = this.#now()
      const unknown: string[] = []
      for (const id of recordIds(page)) {
        count++
        const times = this.#states.get(id)
        if (times) offer(id, times, now)
        else unknown.push(id)
      }
      await forEachInParallel(unknown, isOver, async (id) => {
        const times = await this.#readState(id)
        if (times) offer(id, times, now)
      })
    }
    return { count, users, lowestRanks }
  }

  /**
   * Evicts a candidate, unless its session was used since it became one. Reports whether it removed the record.
   *
   * @param used the sessions that were spared because they were used. Each is spared once.
   */
  async #evictOne({ id, rank }: Candidate, used: Set<string>): Promise<boolean> {
    const times = this.#states.get(id) ?? (await this.#readState(id))
    if (!times) return false
    const now = this.#now()
    const rise = rankOf(times, now) - rank
    // Always spare a session that got an owner since.
    if (rise >= lastDeadline / 2 || (rise > smallMove && !used.has(id))) {
      used.add(id)
      return false
    }
    if (!(await this.#files.removeSeen(id, times))) {
      // Another process has changed it.
      if (await this.#readState(id)) used.add(id)
      return false
    }
    this.forget(id)
    if (classOf(times) !== movedClass && isLive({ expires: times.deadline }, now)) {
      emit({ type: 'evict', id })
      warnOnce(thresholdWarning, 'SESSION_FILE_THRESHOLD')
    }
    return true
  }

  async #readState(id: string): Promise<FileTimes | undefined> {
    const stats = await lstat(this.#names.record(id))
    const times = stats && (await this.#files.readState(id, stats))
    if (times) this.remember(id, times)
    else this.forget(id)
    return times
  }
}

/** The rank of a record in the order of eviction: the record with the lowest rank is evicted first. */
function rankOf(times: FileTimes, now: number): number {
  const deadline = Math.min(times.deadline, lastDeadline)
  const sessionClass = classOf(times)
  if (sessionClass === movedClass || deadline <= now) return deadline
  return deadline + (sessionClass === ownedClass ? 2 : 1) * lastDeadline
}

const thresholdWarning =
  'fileStore holds more sessions than its `threshold` allows (SESSION_FILE_THRESHOLD), so it removes sessions that are still live, and their' +
  ' users are logged out: raise it, or set it to 0 to keep every session until it expires'
