import { emit } from '../../events.js'
import type { SessionRecord } from '../../store.js'
import { finish } from './claims.js'
import type { Deadlines } from './deadlines.js'
import type { Folder } from './folder.js'
import { createHeap, type Candidate } from './heap.js'
import { discard, hasCode, lstat, setDeadline } from './io.js'
import { pages, sideBySide } from './listing.js'
import type { Entry } from './names.js'
import type { Queue } from './queue.js'
import { revisionAt, type Swap } from './swap.js'

export interface SweepOptions {
  folder: Folder
  swap: Swap
  queue: Queue
  deadlines: Deadlines
  now: () => number
  /** Asked between any two files. */
  stopped: () => boolean
}

/** What is done for a directory as a whole. */
export interface Sweep {
  /** The ids of all records, live or not. */
  ids(): AsyncGenerator<string>
  /** How many records there are. */
  count(): Promise<number>
  /** Forgets the deadlines that it remembers, as others may have moved them. */
  forget(): void
  /** Removes expired records, and what dead processes left behind. Answers how many records it removed. */
  prune(): Promise<number>
  /**
   * Removes records until there are at most `target`: expired ones, then those with the nearest deadlines. Answers how many
   * are left. `expected` is how many there are, as far as is known.
   */
  evict(target: number, expected: number, stopped: () => boolean): Promise<number>
}

// No write takes that long: whoever made it is dead, or was stopped and will find out.
const leftOver = 3_600_000
// What file systems round a time to.
const grain = 5000
// About 9 MB. More are removed in several rounds, each with a listing of its own.
const mostAtOnce = 200_000
// For what is made while the directory is listed.
const slack = 1000

export function createSweep({ folder, swap, queue, deadlines, now, stopped: closed }: SweepOptions): Sweep {
  const { names } = folder

  /** Whether the record was removed; `isDue` sees the record itself, as a file's times may be wrong. */
  function removeIf(id: string, isDue: (record: SessionRecord) => boolean | Promise<boolean>): Promise<SessionRecord | undefined> {
    return queue.run(id, async (turn) => {
      const reading = await folder.look(id).catch(skipNewer)
      if (!reading) return undefined
      if ('corrupt' in reading) {
        // A new record that is being written looks torn as well.
        const age = await ageOf(names.record(id))
        if (age !== undefined && age > leftOver) await folder.moveAside(id, reading.corrupt)
        return undefined
      }
      const { record } = reading
      if (!(await isDue(record)) || !(await swap.remove(id, record))) return undefined
      turn.last = undefined
      deadlines.forget(id)
      return record
    })
  }

  async function removeExpired(id: string): Promise<boolean> {
    const removed = await removeIf(id, async (record) => {
      if (record.expires <= now()) return true
      // A copied directory has fresh times: put right, so that the next sweep need not look inside again.
      await setDeadline(names.record(id), record.expires).catch(() => undefined)
      return false
    })
    return removed !== undefined
  }

  async function deadlineOf(id: string): Promise<number | undefined> {
    return (await lstat(names.record(id)).catch(gone))?.mtimeMs
  }

  async function learnDeadline(id: string): Promise<number | undefined> {
    const deadline = await deadlineOf(id)
    if (deadline !== undefined) deadlines.set(id, deadline)
    return deadline
  }

  async function tidy(entry: Exclude<Entry, { kind: 'record' }>): Promise<void> {
    const path = entry.kind === 'claim' ? names.claim(entry.id, entry.rev, entry.generation) : entry.path
    const age = await ageOf(path)
    if (age === undefined || age < leftOver) return
    // While the record is where the claim was made, a claim may not just go: see claims.ts.
    const stands = entry.kind === 'claim' && (await revisionAt(names.record(entry.id), entry.id)) === entry.rev
    if (stands) await finish(names, entry.id, entry.rev, entry.generation)
    else await discard(path)
  }

  return {
    async *ids() {
      for await (const page of pages(names, closed)) for (const { id } of page.filter(isRecord)) yield id
    },

    async count() {
      let count = 0
      for await (const page of pages(names, closed)) count += page.filter(isRecord).length
      return count
    },

    forget: () => deadlines.clear(),

    async prune() {
      let count = 0
      deadlines.clear()
      for await (const page of pages(names, closed)) {
        await sideBySide(page, closed, async (entry) => {
          if (!isRecord(entry)) await tidy(entry)
          else if (((await deadlineOf(entry.id)) ?? Infinity) <= now() && (await removeExpired(entry.id))) count++
        })
      }
      return count
    },

    async evict(target, expected, stopped) {
      const corrected = new Set<string>()
      const isOver = () => closed() || stopped()

      async function evictOne({ id, deadline }: Candidate): Promise<boolean> {
        const removed = await removeIf(id, async (record) => {
          if (record.expires <= now()) return true
          const misjudged = Math.abs(record.expires - deadline) > grain
          if (!misjudged || corrected.has(id)) return true
          corrected.add(id)
          deadlines.set(id, record.expires)
          // What was remembered is out of date, or the file's time is wrong; one that is right stays the stamp that it is.
          const onDisk = await deadlineOf(id)
          if (onDisk !== undefined && Math.abs(record.expires - onDisk) > grain) {
            await setDeadline(names.record(id), record.expires).catch(() => undefined)
          }
          return false
        })
        if (removed && removed.expires > now()) {
          emit({ type: 'evict', id })
          warnOnce()
        }
        return removed !== undefined
      }

      for (let most = expected; ; ) {
        let count = 0
        const heap = createHeap(Math.min(mostAtOnce, Math.max(most - target, 0) + slack))
        for await (const page of pages(names, closed)) {
          const unknown: string[] = []
          for (const { id } of page.filter(isRecord)) {
            count++
            const deadline = deadlines.get(id)
            if (deadline === undefined) unknown.push(id)
            else heap.offer({ id, deadline })
          }
          await sideBySide(unknown, isOver, async (id) => {
            const deadline = await learnDeadline(id)
            if (deadline !== undefined) heap.offer({ id, deadline })
          })
        }
        if (count <= target || isOver()) return count
        const correctedBefore = corrected.size
        let removed = 0
        await sideBySide(heap.nearest(count - target), isOver, async (candidate) => {
          if (await evictOne(candidate)) removed++
        })
        most = count -= removed
        const progress = removed > 0 || corrected.size > correctedBefore
        if (count <= target || !progress || isOver()) return count
      }
    }
  }
}

function isRecord(entry: Entry): entry is Extract<Entry, { kind: 'record' }> {
  return entry.kind === 'record'
}

async function ageOf(path: string): Promise<number | undefined> {
  const stats = await lstat(path).catch(gone)
  // The system's clock, not the injected one: what is old here was made by a process that no longer runs.
  return stats && Date.now() - stats.ctimeMs
}

function gone(error: unknown): undefined {
  if (!hasCode(error, 'ENOENT')) throw error
  return undefined
}

/** A record of a newer version is that version's to judge. */
function skipNewer(error: unknown): undefined {
  if (!hasCode(error, 'ERR_SESSION_STORE')) throw error
  return undefined
}

let warned = false

function warnOnce(): void {
  if (warned) return
  warned = true
  process.emitWarning(
    'fileStore holds more sessions than its `threshold` allows (SESSION_FILE_THRESHOLD), so sessions that are still alive' +
      ' are being removed and people logged out: raise it, or set it to 0 to keep every session until it expires',
    { type: 'SessionWarning', code: 'SESSION_FILE_THRESHOLD' }
  )
}
