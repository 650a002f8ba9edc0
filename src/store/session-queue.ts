import type { SessionRecord } from '../record/index.js'
import type { Recipe } from './contract.js'
import { Table } from './table.js'

/** An update that waits for its answer. */
export interface Job {
  readonly recipe: Recipe
  readonly seen: SessionRecord | undefined
  readonly resolve: (answer: SessionRecord | null | undefined) => void
  readonly reject: (error: unknown) => void
}

/** What one process knows about a record while it has calls for it in its queue. */
export interface Turn {
  /** The record that the call before wrote. The next call need not read, and does not lose a try to its own process. */
  last: SessionRecord | undefined
}

/** Answers at least the first of the jobs and returns how many it answered. It never throws. */
export type Work = (id: string, turn: Turn, jobs: readonly Job[]) => Promise<number>

interface Queue {
  readonly turn: Turn
  readonly waiting: (Job | Task)[]
}

type Task = (turn: Turn) => Promise<unknown>

/** How many updates are made as one: their recipes run without a pause in between. */
const mostJobs = 100

/**
 * A queue for each session that has calls in progress: a process then contends with other processes and not with itself.
 *
 * Updates that gather behind a call are made as one. So N parallel updates of a session cost a few writes, and processes with
 * many updates each do not wear each other out. This saves work; it is not what makes updates safe. That is the
 * compare-and-swap.
 */
export class SessionQueue {
  readonly #work: Work
  readonly #queues = new Table<Queue>()

  constructor(work: Work) {
    this.#work = work
  }

  run<T>(id: string, task: (turn: Turn) => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#add(id, (turn) => task(turn).then(resolve, reject))
    })
  }

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
    const made: Queue = { turn: { last: undefined }, waiting: [call] }
    this.#queues.set(id, made)
    void this.#serve(id, made)
  }

  async #serve(id: string, { turn, waiting }: Queue): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      if (typeof next === 'function') {
        await next(turn)
        continue
      }
      const firstTask = waiting.findIndex((each) => typeof each === 'function')
      const others = waiting.splice(0, Math.min(firstTask === -1 ? waiting.length : firstTask, mostJobs - 1)) as Job[]
      const jobs = [next, ...others]
      const answered = await this.#work(id, turn, jobs)
      waiting.unshift(...jobs.slice(answered))
    }
    this.#queues.delete(id)
  }
}
