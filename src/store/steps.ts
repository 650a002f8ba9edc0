import { writeRecord, type SessionRecord, type Writer } from '../record/index.js'
import type { Written } from './backend.js'
import type { Job } from './session-queue.js'

/** After how many characters of text one step of many updates ends: recipes on large records must not block the event loop. */
const longestStep = 256 * 1024

/** The result of running recipes on a record: an answer for each job, and the record to write, or its removal. */
export interface Step {
  readonly answers: ({ value: SessionRecord | null } | { error: unknown })[]
  next: Written | undefined
  removes: boolean
}

/** Wraps an error that a recipe threw: it is the caller's own error, and not one of the backend. */
export class RecipeError extends Error {}

/** Runs the recipes of jobs, each on the result of the one before. */
export function applyRecipes(current: SessionRecord, jobs: readonly Job[], writer: Writer): Step {
  const step: Step = { answers: [], next: undefined, removes: false }
  let length = 0
  for (const { recipe } of jobs) {
    const before = step.next?.record ?? current
    try {
      const replacement = recipe(before)
      if (replacement === null) {
        // A removal after other updates is a step of its own, so that the updates are not lost if the removal fails.
        if (step.next) return step
        step.answers.push({ value: null })
        step.removes = true
        return step
      }
      step.next = withText({ ...replacement, rev: before.rev + 1, write: writer.next(current.write) })
      step.answers.push({ value: step.next.record })
      length += step.next.text.length
    } catch (error) {
      step.answers.push({ error: new RecipeError('the recipe threw', { cause: error }) })
    }
    if (length > longestStep) return step
  }
  return step
}

/** Settles the jobs whose recipes ran, and returns how many there are. */
export function settleJobs(jobs: readonly Job[], { answers }: Step): number {
  for (const [index, answer] of answers.entries()) {
    const { resolve, reject } = jobs[index]!
    if ('error' in answer) reject(answer.error)
    else resolve(answer.value)
  }
  return answers.length
}

export function withText(record: SessionRecord): Written {
  return { record, text: writeRecord(record) }
}
