import { isSameVersion, readRecord, type SessionRecord } from '../../record/index.js'
import { graceAfterDeadline, type Backend, type Found, type RecordWithToken, type StoreScope, type SwapResult, type Written } from '../../store/index.js'
import { sessionOf, textOf, type ForeignStore } from './foreign-store.js'
import type { KeyLocks } from './key-locks.js'

/** The text that replaces a value of another program. The kit reports it as corrupt. */
const notOurs = 'not the text of a record'

/**
 * The operations on the records of one prefix in a store of another library, which has no compare-and-swap. This process reads, compares and
 * writes under a lock instead. The lock does not exclude other processes.
 */
export class AdapterBackend implements Backend {
  readonly #store: ForeignStore
  readonly #locks: KeyLocks
  readonly #scope: StoreScope
  readonly #prefix: string

  constructor(store: ForeignStore, locks: KeyLocks, scope: StoreScope) {
    this.#store = store
    this.#locks = locks
    this.#scope = scope
    // Encode the prefix, because some stores use a key as a path.
    this.#prefix = encodeURIComponent(scope.prefix).replaceAll('%3A', ':')
  }

  async get(id: string): Promise<Found | undefined> {
    const value = await this.#store.get(this.#keyOf(id))
    return value === undefined || value === null ? undefined : { text: textOf(value) ?? notOurs }
  }

  async insert(id: string, next: Written): Promise<boolean> {
    return this.#locks.run(this.#keyOf(id), async () => {
      if (await this.get(id)) return false
      await this.#write(id, next)
      return true
    })
  }

  async replace(id: string, from: RecordWithToken, next: Written): Promise<SwapResult> {
    return this.#ifSame(id, from, () => this.#write(id, next))
  }

  async remove(id: string, from: RecordWithToken): Promise<SwapResult> {
    return this.#ifSame(id, from, () => this.#store.destroy(this.#keyOf(id)))
  }

  /**
   * Does the work if the stored record is in that state. It holds the lock until the other library's store has answered, however long that
   * takes: a `set` that is still in progress must not take effect after a `destroy`.
   */
  async #ifSame(id: string, { record }: RecordWithToken, work: () => Promise<void>): Promise<SwapResult> {
    return this.#locks.run(this.#keyOf(id), async () => {
      const found = await this.get(id)
      if (!found) return 'gone'
      if (!this.#has(id, found, record)) return found
      await work()
      return 'done'
    })
  }

  async #write(id: string, { record, text }: Written): Promise<void> {
    const { session, ttl } = sessionOf(text, record.expires + graceAfterDeadline - this.#scope.now())
    await this.#store.set(this.#keyOf(id), session, ttl)
  }

  /** Reports whether the text is this state of the record. */
  #has(id: string, { text }: Found, record: SessionRecord): boolean {
    const reading = readRecord(text, id, this.#scope.largest)
    return 'record' in reading && isSameVersion(reading.record, record)
  }

  #keyOf(id: string): string {
    return this.#prefix + id
  }
}
