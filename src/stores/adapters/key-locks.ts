import { processWide } from '../../process-wide.js'
import { Table } from '../../store/index.js'

/** Runs work for the same key one after another. */
export class KeyLocks {
  /** For each key, resolves when the work that was added last has ended. */
  readonly #last = new Table<Promise<void>>()

  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.#last.get(key)
    const result = before ? before.then(work) : work()
    const end = result.then(nothing, nothing)
    this.#last.set(key, end)
    try {
      return await result
    } finally {
      if (this.#last.get(key) === end) this.#last.delete(key)
    }
  }
}

function nothing(): void {}

/** The locks by the store of the other library, so that two adapters of one store exclude each other too. */
const locksOf = processWide('locks of adapted stores', () => new WeakMap<object, KeyLocks>())

export function locksFor(store: object): KeyLocks {
  let locks = locksOf.get(store)
  if (!locks) locksOf.set(store, (locks = new KeyLocks()))
  return locks
}
