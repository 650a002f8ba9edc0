import type { Recipe, SessionRecord } from '../../store.js'
import { UnderWay } from '../under-way.js'

/** What one process knows about a record while it has calls for it in line. */
export interface Turn {
  /** The text that the call before wrote: the next one need not read, and does not lose a round to its own process. */
  last: string | undefined
}

/** An update that waits for its answer. */
export interface Job {
  recipe: Recipe
  seen: SessionRecord | undefined
  resolve: (answer: SessionRecord | null | undefined) => void
  reject: (error: unknown) => void
}

/** Answers the first of the jobs, at least one, and says how many it answered. It never throws. */
export type Work = (id: string, turn: Turn, jobs: readonly Job[]) => Promise<number>

/** Calls for one id one after another, so that a process contends with others once and not with itself. */
export interface Queue {
  run<T>(id: string, task: (turn: Turn) => Promise<T>): Promise<T>
  update(id: string, recipe: Recipe, seen: SessionRecord | undefined): Promise<SessionRecord | null | undefined>
}

type Waiting = { job: Job } | { task: (turn: Turn) => Promise<unknown> }

interface Line {
  turn: Turn
  waiting: Waiting[]
}

// Recipes run without a pause in between.
const mostJobs = 100

/**
 * Updates that have gathered behind a call are done as one: N parallel updates of a session cost a few writes, and
 * processes that all have many of them do not wear each other out.
 */
export function createQueue(work: Work): Queue {
  const lines = new UnderWay<Line>()

  function enqueue(id: string, waiting: Waiting): void {
    const line = lines.get(id)
    if (line) {
      line.waiting.push(waiting)
      return
    }
    const made: Line = { turn: { last: undefined }, waiting: [waiting] }
    lines.set(id, made)
    void serve(id, made)
  }

  async function serve(id: string, { turn, waiting }: Line): Promise<void> {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      if ('task' in next) {
        await next.task(turn)
        continue
      }
      const first = waiting.findIndex((each) => 'task' in each)
      const others = waiting.splice(0, Math.min(first === -1 ? waiting.length : first, mostJobs - 1))
      const jobs = [next, ...(others as { job: Job }[])]
      const answered = await work(id, turn, jobs.map(({ job }) => job))
      waiting.unshift(...jobs.slice(answered))
    }
    lines.delete(id)
  }

  return {
    run: (id, task) =>
      new Promise((resolve, reject) => {
        enqueue(id, { task: (turn) => task(turn).then(resolve, reject) })
      }),
    update: (id, recipe, seen) =>
      new Promise((resolve, reject) => {
        enqueue(id, { job: { recipe, seen, resolve, reject } })
      })
  }
}
