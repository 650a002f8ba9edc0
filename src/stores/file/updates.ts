import { conflictError } from '../../errors.js'
import { atRevision, readRecord, writeRecord } from '../../record.js'
import type { SessionRecord } from '../../store.js'
import type { Deadlines } from './deadlines.js'
import type { Folder } from './folder.js'
import type { Job, Turn, Work } from './queue.js'
import type { Stamp } from './stamp.js'
import type { Swap } from './swap.js'

/** How long an update or a removal goes on against others who win each time, or a lock that a dead process left. */
export const longestTry = 5000

// So that recipes on large records do not hold the event loop.
const mostText = 256 * 1024

export interface UpdatesOptions {
  folder: Folder
  swap: Swap
  deadlines: Deadlines
  now: () => number
  /** `undefined` for a record past its deadline. */
  ifLive: (record: SessionRecord | undefined) => SessionRecord | undefined
}

type Answer = { value: SessionRecord | null } | { error: unknown }

/** What jobs make of a record: one answer each, and the text to write (`undefined`: none), or its removal. */
interface Step {
  answers: Answer[]
  written: { text: string; stamp: Stamp } | undefined
  removes: boolean
}

/** Carries out updates of one record: applies their recipes, swaps the result in, and begins anew when somebody else was faster. */
export function createUpdates({ folder, swap, deadlines, now, ifLive }: UpdatesOptions): Work {
  /** What to begin with: the newest that is known without a look at the disk, or else what is there. */
  async function first(id: string, turn: Turn, seen: SessionRecord | undefined): Promise<SessionRecord | undefined> {
    const reading = turn.last === undefined ? undefined : readRecord(turn.last, id)
    if (reading && 'record' in reading && reading.record.rev >= (seen?.rev ?? 0)) return ifLive(reading.record)
    // What is past its deadline as it was seen may have been given a later one since; what this process has overwritten is
    // not worth a try.
    if (seen && seen.id === id && seen.expires > now() && seen.rev >= folder.knownRev(id)) return seen
    return ifLive(await folder.read(id))
  }

  async function take(id: string, from: SessionRecord, { written, removes }: Step): Promise<boolean> {
    if (removes) {
      if (!(await swap.remove(id, from))) return false
      deadlines.forget(id)
      return true
    }
    if (!written) return true
    if (!(await swap.replace(id, from, written.text, written.stamp))) return false
    folder.wrote(id, written.text, written.stamp)
    if (deadlines.get(id) !== undefined) deadlines.set(id, written.stamp.expires)
    return true
  }

  return async (id, turn, jobs) => {
    const end = performance.now() + longestTry
    try {
      let current = await first(id, turn, jobs[0]!.seen)
      for (let tries = 1; current; tries++) {
        const step = apply(current, jobs)
        turn.last = undefined
        if (await take(id, current, step)) {
          turn.last = step.written?.text
          for (const [at, answer] of step.answers.entries()) settle(jobs[at]!, answer)
          return step.answers.length
        }
        if (performance.now() > end) throw conflictError(tries)
        current = ifLive(await folder.read(id))
      }
      for (const job of jobs) job.resolve(undefined)
    } catch (error) {
      for (const job of jobs) job.reject(error)
    }
    return jobs.length
  }
}

function apply(current: SessionRecord, jobs: readonly Job[]): Step {
  const step: Step = { answers: [], written: undefined, removes: false }
  let size = 0
  for (const { recipe } of jobs) {
    try {
      // A copy, as the answer to the job before is that caller's own.
      const state = step.written ? (JSON.parse(step.written.text) as SessionRecord) : current
      const next = recipe(state)
      if (next === null) {
        // After others it gets a step of its own, so that theirs is not lost should the removal fail.
        if (step.written) return step
        step.answers.push({ value: null })
        step.removes = true
        return step
      }
      const value = atRevision(state.rev + 1, next)
      step.written = { text: writeRecord(value), stamp: { rev: value.rev, expires: value.expires } }
      step.answers.push({ value })
      size += step.written.text.length
    } catch (error) {
      step.answers.push({ error })
    }
    if (size > mostText) return step
  }
  return step
}

function settle({ resolve, reject }: Job, answer: Answer): void {
  if ('error' in answer) reject(answer.error)
  else resolve(answer.value)
}
