import { setImmediate } from 'node:timers/promises'
import { createStore, type Backend, type Found, type RecordWithToken, type Removed, type SessionStore, type StoreDefinition, type StoreScope, type SwapResult } from '../../src/store/index.js'
import { readRecord } from '../../src/record/index.js'

/** Replaces one compare-and-swap, which `apply` would carry out. */
export type Fault = (apply: () => SwapResult<number>, id: string) => Promise<SwapResult<number>> | SwapResult<number>

/** Replaces one insertion, which `apply` would carry out. */
export type InsertionFault = (apply: () => boolean | Removed, id: string) => Promise<boolean | Removed>

interface Entry {
  readonly text: string
  /** Changes with each write, like the CAS token of memcached. */
  readonly token: number
}

export interface TextBackendOptions {
  /** Give out tokens with texts and compare them. */
  readonly tokens?: boolean
  /** Answer a conflict with the stored text, so that the caller need not read it. */
  readonly answersText?: boolean
  readonly sendsOnce?: boolean
  /** Keep the mark of each removal, so that a caller learns who removed a record. */
  readonly answersRemovals?: boolean
  /** A fault: `write` is not compared. */
  readonly comparesRevisionsOnly?: boolean
}

/** A database of texts in this process, which can be made to fail in the ways in which servers and drivers fail. */
export class TextDatabase {
  readonly entries = new Map<string, Entry>()
  /** The operations so far, in order: `get`, `insert`, `replace`, `remove`. */
  readonly calls: string[] = []
  /** The mark of the removal, by key. */
  readonly #removals = new Map<string, string>()
  readonly #options: TextBackendOptions
  #faults: Fault[] = []
  #insertionFaults: InsertionFault[] = []
  #token = 0

  constructor(options: TextBackendOptions = {}) {
    this.#options = options
  }

  /** The next compare-and-swaps meet these faults, one each. */
  fail(...faults: readonly Fault[]): void {
    this.#faults.push(...faults)
  }

  /** The next insertions meet these faults, one each. */
  failInsertion(...faults: readonly InsertionFault[]): void {
    this.#insertionFaults.push(...faults)
  }

  store(definition: Partial<StoreDefinition<number>> = {}): SessionStore {
    return createStore<number>({ name: 'text', backend: (scope) => this.backend(scope), ...definition })
  }

  put(scope: StoreScope, id: string, text: string): void {
    this.#set(scope.prefix + id, text)
  }

  text(scope: StoreScope, id: string): string | undefined {
    return this.entries.get(scope.prefix + id)?.text
  }

  backend(scope: StoreScope): Backend<number> {
    const keyOf = (id: string): string => scope.prefix + id
    const list = async function* (this: TextDatabase): AsyncGenerator<Found<number> & { readonly id: string }> {
      // In pages of 4 that go by keys, as with a real database.
      for (let last = ''; ; ) {
        const page = [...this.entries.keys()].filter((key) => key > last).toSorted().slice(0, 4)
        if (page.length === 0) return
        for (const key of page) {
          const entry = this.entries.get(key)
          if (entry && key.length === scope.prefix.length + 64 && key.startsWith(scope.prefix)) yield { ...this.#found(entry), id: key.slice(-64) }
        }
        last = page.at(-1)!
        await setImmediate()
      }
    }
    return {
      sendsOnce: this.#options.sendsOnce ?? false,
      get: async (id) => {
        await this.#note('get')
        const entry = this.entries.get(keyOf(id))
        return entry && this.#found(entry)
      },
      insert: async (id, { text }, over) => {
        await this.#note('insert')
        const key = keyOf(id)
        const apply = (): boolean | Removed => {
          const removedBy = this.#removals.get(key)
          if (this.entries.has(key) || (over && over.removedBy !== removedBy)) return false
          if (removedBy !== undefined && !over) return { removedBy }
          this.#removals.delete(key)
          this.#set(key, text)
          return true
        }
        const fault = this.#insertionFaults.shift()
        return fault ? fault(apply, id) : apply()
      },
      replace: async (id, from, { text }) => this.#swap('replace', keyOf(id), id, from, (key) => this.#set(key, text)),
      remove: async (id, from, mark) =>
        this.#swap('remove', keyOf(id), id, from, (key) => {
          this.entries.delete(key)
          if (this.#options.answersRemovals) this.#removals.set(key, mark)
        }),
      list: () => list.call(this),
      ownedBy: () => list.call(this)
    }
  }

  async #swap(name: string, key: string, id: string, from: RecordWithToken<number>, write: (key: string) => void): Promise<SwapResult<number>> {
    await this.#note(name)
    const apply = (): SwapResult<number> => {
      const entry = this.entries.get(key)
      const removedBy = this.#removals.get(key)
      if (!entry) return removedBy === undefined ? 'gone' : { removedBy }
      if (!this.#isSame(entry, id, from)) return this.#options.answersText ? this.#found(entry) : 'changed'
      write(key)
      return 'done'
    }
    const fault = this.#faults.shift()
    return fault ? fault(apply, id) : apply()
  }

  #isSame(entry: Entry, id: string, { record, token }: RecordWithToken<number>): boolean {
    if (token !== undefined) return entry.token === token
    const reading = readRecord(entry.text, id)
    return 'record' in reading && reading.record.rev === record.rev && (reading.record.write === record.write || this.#options.comparesRevisionsOnly === true)
  }

  #found({ text, token }: Entry): Found<number> {
    return this.#options.tokens ? { text, token } : { text }
  }

  #set(key: string, text: string): void {
    this.entries.set(key, { text, token: this.#token++ })
  }

  /** Each operation takes a turn of the event loop before it is carried out. */
  async #note(name: string): Promise<void> {
    this.calls.push(name)
    await setImmediate()
  }
}

/** The driver loses the first answer and sends the command again. In between, `others` write. */
export function sentTwice(others: () => Promise<unknown> = async () => undefined): <Answer>(apply: () => Answer) => Promise<Answer> {
  return async (apply) => {
    apply()
    await others()
    return apply()
  }
}

/** Another writer commits just before. */
export function after(others: () => Promise<unknown>): Fault {
  return async (apply) => {
    await others()
    return apply()
  }
}

/** The command is carried out, and its answer lost for good. */
export function answerLost(error: Error): Fault {
  return (apply) => {
    apply()
    throw error
  }
}

/** The command does not arrive. */
export function notSent(error: Error): Fault {
  return () => {
    throw error
  }
}

