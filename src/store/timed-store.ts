import { SessionError, storeError } from '../errors.js'
import { emit } from '../events.js'
import { flawOf, type SessionRecord } from '../record/index.js'
import type { MaybePromise, Recipe, SessionStore } from './contract.js'
import { isPromise, recover } from './maybe-promise.js'

/** Stores that read strictly themselves, so that nobody checks their records a second time. */
const checkedStores = new WeakSet<SessionStore>()

/** Leaves an update that meets a marker. */
const movedError = new Error('the session has a new sid')

/** Says that a store answers nothing but records that it has checked. */
export function markChecked(store: SessionStore): void {
  checkedStores.add(store)
}

/**
 * The store as the middleware calls it. Every call ends in time, a failure is a `SessionError` and an event, and an answer is a record
 * of the id that was asked for.
 *
 * A store that answers a value instead of a promise is not waited for, and no timer is started.
 */
export class TimedStore {
  readonly #store: SessionStore
  readonly #timeout: number
  readonly #isChecked: boolean

  /** @param timeout how long a call may take, in milliseconds. */
  constructor(store: SessionStore, timeout: number) {
    this.#store = store
    this.#timeout = timeout
    this.#isChecked = checkedStores.has(store)
  }

  /** An answer that is no record of that id counts as none, as the contract says. */
  read(id: string): MaybePromise<SessionRecord | undefined> {
    return this.#call('read a session', id, () => this.#store.read(id), (record) => {
      if (!record) return undefined
      const corrupt = this.#flawOf(record, id)
      return corrupt === undefined ? record : emit({ type: 'corrupt', id, reason: corrupt })
    })
  }

  /** Creates a record under an id that was just made, so that it cannot be taken. */
  create(record: SessionRecord): MaybePromise<void> {
    const { id } = record
    return this.#call('create a session', id, () => this.#store.create(id, record), (isCreated) => {
      // A store in JavaScript may answer anything.
      if ((isCreated as unknown) === true) return
      throw new SessionError('ERR_SESSION_STORE', 'the session store says that a sid just made is taken: check that create() answers true for new ids')
    })
  }

  /**
   * Answers `'moved'`, and writes nothing, when a marker is stored: the session has a new sid.
   *
   * Rejects with the recipe's own error if the recipe throws.
   */
  update(action: string, seen: SessionRecord, recipe: Recipe): MaybePromise<SessionRecord | null | undefined | 'moved'> {
    const { id } = seen
    let thrown: { error: unknown } | undefined
    let runs = 0
    const work = (isOver: () => boolean): MaybePromise<SessionRecord | null | undefined> =>
      this.#store.update(
        id,
        (current) => {
          if (runs++ > 0) emit({ type: 'conflict', id })
          thrown = undefined
          // The request was told that it failed: a store that tries again after that must not succeed.
          if (isOver()) throw this.#timedOut(action)
          try {
            if (current.moved) throw movedError
            this.#own(current, id)
            return recipe(current)
          } catch (error) {
            thrown = { error }
            throw error
          }
        },
        seen
      )
    return recover<SessionRecord | null | undefined | 'moved'>(
      () => this.#call(action, id, work, (written) => this.#own(written, id), () => thrown),
      (error) => {
        if (error === movedError) return 'moved'
        throw error
      }
    )
  }

  destroy(id: string): MaybePromise<SessionRecord | undefined> {
    return this.#call('remove a session', id, () => this.#store.destroy(id), (last) => this.#own(last, id) ?? undefined)
  }

  /** Whether the store can list the sessions of an owner. */
  get listsOwners(): boolean {
    return this.#store.ownedBy !== undefined
  }

  /** Whether the store can list its sessions. */
  get listsRecords(): boolean {
    return this.#store.records !== undefined
  }

  /** The live records, those of the owner only if one is given. Each step of the listing ends in time. */
  async *list(owner?: string): AsyncGenerator<SessionRecord> {
    const listing = owner === undefined ? this.#store.records!() : this.#store.ownedBy!(owner)
    const iterator = listing[Symbol.asyncIterator]()
    try {
      for (;;) {
        const next = await this.#call('list sessions', undefined, () => iterator.next(), (result) => result)
        if (next.done) return
        if (this.#flawOf(next.value, next.value.id) === undefined) yield next.value
      }
    } finally {
      // Not awaited: a listing that hangs must not hold its caller.
      void Promise.resolve(iterator.return?.()).catch(() => undefined)
    }
  }

  async prune(): Promise<number> {
    return (await this.#store.prune?.()) ?? 0
  }

  async close(): Promise<void> {
    await this.#store.close?.()
  }

  /**
   * @param work gets a function that tells whether the call has timed out.
   * @param check turns the answer into the result; throws when the answer is not one.
   * @param thrown an error that is not the store's, if there was one.
   */
  #call<Answer, T>(
    action: string,
    id: string | undefined,
    work: (isOver: () => boolean) => MaybePromise<Answer>,
    check: (answer: Answer) => T,
    thrown?: () => { error: unknown } | undefined
  ): MaybePromise<T> {
    let isOver = false
    const errorOf = (cause: unknown): unknown => {
      const ours = thrown?.()
      if (ours) return ours.error
      const error = storeError(action, cause)
      emit({ type: 'store-error', id, error })
      return error
    }
    let answer: MaybePromise<Answer>
    try {
      answer = work(() => isOver)
      if (!isPromise(answer)) return check(answer)
    } catch (error) {
      throw errorOf(error)
    }
    const pending = answer
    return new Promise<T>((resolve, reject) => {
      const fail = (cause: unknown): void => {
        clearTimeout(timer)
        // The timeout was reported already.
        if (isOver) return
        isOver = true
        reject(errorOf(cause))
      }
      const timer = setTimeout(() => fail(this.#timedOut(action)), this.#timeout).unref()
      pending.then((value) => {
        clearTimeout(timer)
        if (isOver) return
        try {
          resolve(check(value))
        } catch (error) {
          fail(error)
        }
      }, fail)
    })
  }

  #timedOut(action: string): SessionError {
    return new SessionError('ERR_SESSION_TIMEOUT', `the session store took over ${this.#timeout} ms to ${action}: look at the backend, or raise storeTimeout`)
  }

  #flawOf(record: unknown, id: string): string | undefined {
    if (this.#isChecked) return undefined
    return flawOf(record, id)
  }

  /** The answer, if it is a record of that id: a swapped answer must not make one session of two. */
  #own<T extends SessionRecord | null | undefined>(answer: T, id: string): T {
    const flaw = answer === undefined || answer === null ? undefined : this.#flawOf(answer, id)
    if (flaw === undefined) return answer
    throw new SessionError('ERR_SESSION_STORE', `the session store answered something that is not the session's record: ${flaw}`)
  }
}
