import { setImmediate } from 'node:timers/promises'
import type { SessionRecord } from '../record/index.js'
import type { Recipe } from './contract.js'
import { Table } from './table.js'

/** An update whose promise is not settled yet. */
export interface Job {
  readonly recipe: Recipe
  readonly seen: SessionRecord | undefined
  readonly resolve: (answer: SessionRecord | null | undefined) => void
  readonly reject: (error: unknown) => void
}

/** The knowledge about a record that the calls in one queue hand on to each other. */
export interface QueuedSession {
  /** The record that the last call wrote. With it, the next call need not read, and does not conflict with its own process. */
  lastWritten: SessionRecord | undefined
}

/** Settles at least the first of the jobs and returns how many it settled. It never throws. */
export type Work = (id: string, queued: QueuedSession, jobs: readonly Job[]) => Promise<number>

interface Queue {
  readonly queued: QueuedSession
  readonly waiting: (Job | Task)[]
}

type Task = (queued: QueuedSession) => Promise<unknown>

/** How many updates are made as one at most: their recipes run without a pause in between. */
const mostJobs = 100

/**
 * A queue for each session that has calls in progress, so that a process does not conflict with itself.
 *
 * Updates that wait behind the same call are made as one. So N parallel updates of a session cost a few writes, and fewer conflicts with
 * other processes. The queue only saves work. The compare-and-swap of the backend makes updates safe.
 */
export class SessionQueue {
  readonly #work: Work
  readonly #queues = new Table<Queue>()

  constructor(work: Work) {
    this.#work = work
  }

  /** Runs a task when the calls before it have ended. */
  run<T>(id: string, task: (queued: QueuedSession) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#add(id, (queued) => task(queued).then(resolve, reject))
    })
  }

  /** Makes an update when the calls before it have ended, possibly together with others. */
  update(id: string, recipe: Recipe, seen: SessionRecord | undefined): Promise<SessionRecord | null | undefined> {
    return new Promise((resolve, reject) => {
      this.#add(id, { recipe, seen, resolve, reject })
    })
  }

  #add(id: string, call: Job | Task): void {
    const queue = this.#queues.get(id)
    if (queue) {
      queue.waiting.push(call)
      return
    }
    const newQueue: Queue = { queued: { lastWritten: undefined }, waiting: [call] }
    this.#queues.set(id, newQueue)
    void this.#serve(id, newQueue)
  }

  async #serve(id: string, { queued, waiting }: Queue): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      if (typeof next === 'function') {
        await next(queued)
        continue
      }
      const firstTask = waiting.findIndex((call) => typeof call === 'function')
      const others = waiting.splice(0, Math.min(firstTask === -1 ? waiting.length : firstTask, mostJobs - 1)) as Job[]
      const jobs = [next, ...others]
      const answered = await this.#work(id, queued, jobs)
      waiting.unshift(...jobs.slice(answered))
      // Give other writers a turn. Another store in this process may lose against this update, and tries again in the same turn of the event
      // loop. If this queue sent its next update in that turn too, the other store could lose each time.
      if (waiting.length > 0) await setImmediate()
    }
    this.#queues.delete(id)
  }
}
