import type { Data, Json } from '../record/index.js'
import { applyChanges, valueAt, type Changes } from './changes.js'

/** One value that a request takes out of the session for itself. */
export class Taking {
  value: Json | undefined
  readonly #key: string

  constructor(key: string) {
    this.#key = key
  }

  /** Takes the value and returns the data without it. The recipe may run several times, so each run replaces the value of the one before. */
  takeFrom(data: Data | null): Data | null {
    this.value = data ? valueAt(data, this.#key) : undefined
    return data && applyChanges(new Map([[this.#key, { kind: 'delete' as const }]]), data)
  }

  addTo(changes: Changes): Changes {
    return new Map([...changes, [this.#key, { kind: 'delete' as const }]])
  }
}
