import type { SessionRecord } from '../record/index.js'
import { recover, whenDone, type MaybePromise, type Recipe } from '../store/index.js'
import type { RecordSource } from './record-source.js'
import { unsealed } from './sealing.js'
import type { StoredState } from './session-state.js'

/** A record as the request uses it, and as it is stored. */
export type Updated = Pick<StoredState, 'record' | 'atRest'>

/** A recipe throws it to leave an update of a record that the request must not use. */
const refusal = new Error('the record cannot be opened')

/**
 * Updates the record of a stored session. The recipe gets and returns records as the request uses them, and runs on the newest one: if
 * another request has changed the record, this opens the newest one and seals the result.
 *
 * `undefined`: the session is gone. `null`: the recipe removed it. `'moved'`: the session has a new sid.
 */
export function updateRecord(
  { store, sealing }: RecordSource,
  action: string,
  { sid, record, atRest }: Pick<StoredState, 'sid' | 'record' | 'atRest'>,
  recipe: Recipe
): MaybePromise<Updated | null | undefined | 'moved'> {
  let last: SessionRecord | null = null
  const work = (): MaybePromise<Updated | null | undefined | 'moved'> => {
    const written = store.update(action, atRest, (current) => {
      const opened = current === atRest ? record : sealing.open(current, sid)
      if (!opened) throw refusal
      last = recipe(opened)
      return last && sealing.close(last, sid)
    })
    return whenDone(written, (answer) => {
      if (typeof answer !== 'object' || answer === null) return answer
      // The store returns what the last run of the recipe made, so it need not be opened again.
      return { atRest: answer, record: sealing === unsealed ? answer : { ...last!, rev: answer.rev, write: answer.write } }
    })
  }
  if (sealing === unsealed) return work()
  return recover(work, (error) => {
    if (error === refusal) return undefined
    throw error
  })
}
