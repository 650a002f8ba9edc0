import { SessionError, storeError } from '../errors.js'
import { emit } from '../events.js'
import { flawOf, type SessionRecord } from '../record/index.js'
import { checkedStores } from './checked-stores.js'
import type { MaybePromise, Recipe, SessionStore } from './contract.js'
import { isPromise, recover } from './maybe-promise.js'

/** A recipe throws it to leave an update that meets a marker. */
const movedError = new Error('the session has a new sid')

/**
 * Wraps a store for the middleware. Every call ends in time, every failure is a `SessionError` and an event, and every answer is checked to
 * be a record of the requested id.
 *
 * It starts no timer for a call that returns a value instead of a promise.
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

  /**
   * From now on, reads of an unchanged record may return the same object. Call this only if nobody else reads from the store: a careless store
   * that wraps it would find its own changes in the next read.
   */
  shareReads(): void {
    checkedStores.get(this.#store)?.shareReads?.()
  }

  /** Reads a record. An answer that is not a record of that id counts as missing, as the contract says. */
  read(id: string): MaybePromise<SessionRecord | undefined> {
    return this.#call('read a session', id, () => this.#store.read(id), (record) => {
      if (!record) return undefined
      const corrupt = this.#flawOf(record, id)
      if (corrupt === undefined) return record
      emit({ type: 'corrupt', id, reason: corrupt })
      return undefined
    })
  }

  /** Creates a record under a new random id, which cannot be taken. */
  create(record: SessionRecord): MaybePromise<void> {
    const { id } = record
    return this.#call('create a session', id, () => this.#store.create(id, record), (isCreated) => {
      // A store that is written in JavaScript may return anything.
      if ((isCreated as unknown) === true) return
      throw new SessionError('ERR_SESSION_STORE', 'the session store says that a new random id is taken: check that its create() returns true for new ids')
    })
  }

  /**
   * Updates a record. Returns `'moved'` and writes nothing if a marker is stored, because the session has a new sid.
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
          // The call has failed already, so a store that runs the recipe later must not write.
          if (isOver()) throw this.#timedOut(action)
          try {
            this.#assertRecord(current, id)
            if (current.moved) throw movedError
            return recipe(current)
          } catch (error) {
            thrown = { error }
            throw error
          }
        },
        seen
      )
    const check = (written: SessionRecord | null | undefined): SessionRecord | null | undefined => {
      // A store that goes on as if the recipe had not thrown, or does not run it at all, has not written what the caller wanted.
      if (thrown) throw thrown.error
      if (written === undefined) return undefined
      if (written !== null) this.#assertRecord(written, id)
      if (runs === 0) throw new SessionError('ERR_SESSION_STORE', 'the session store says that it has saved a session, but did not call the recipe: check its update()')
      return written
    }
    return recover<SessionRecord | null | undefined | 'moved'>(
      () => this.#call(action, id, work, check, () => thrown),
      (error) => {
        if (error === movedError) return 'moved'
        throw error
      }
    )
  }

  destroy(id: string): MaybePromise<SessionRecord | undefined> {
    return this.#call('remove a session', id, () => this.#store.destroy(id), (last) => {
      // A store that is written in JavaScript may return null.
      if (last === undefined || last === null) return undefined
      this.#assertRecord(last, id)
      return last
    })
  }

  /** `true` if the store can list the sessions of an owner. */
  get listsOwners(): boolean {
    return this.#store.ownedBy !== undefined
  }

  /** `true` if the store can list its sessions. */
  get listsRecords(): boolean {
    return this.#store.records !== undefined
  }

  /** Lists the live records; if an owner is given, only the owner's. Each step of the listing ends in time. */
  async *list(owner?: string): AsyncGenerator<SessionRecord> {
    // A store that is written in JavaScript may return a promise of the listing.
    const start = (): MaybePromise<AsyncIterable<SessionRecord>> => (owner === undefined ? this.#store.records!() : this.#store.ownedBy!(owner))
    const iterator = await this.#call('list sessions', undefined, start, (listing) => listing[Symbol.asyncIterator]())
    try {
      for (;;) {
        const next = await this.#call('list sessions', undefined, () => iterator.next(), (result) => this.#checkListed(result, owner))
        if (next === 'end') return
        if (next) yield next
      }
    } finally {
      // Do not await it: a listing that hangs must not keep its caller waiting.
      void recover<unknown>(() => iterator.return?.(), () => undefined)
    }
  }

  /** Lets the store look whether its server is there. A failure is a warning: the server may come up before the first request. */
  start(): void {
    void recover<unknown>(
      () => this.#store.start?.(),
      (error) => process.emitWarning(storeError('start', error).message, 'SessionWarning')
    )
  }

  async prune(): Promise<number> {
    return (await this.#store.prune?.()) ?? 0
  }

  async close(): Promise<void> {
    await this.#store.close?.()
  }

  /**
   * Makes one call to the store, with a timeout. A failure becomes a `SessionError` and an event.
   *
   * @param work gets a function that reports whether the call has timed out.
   * @param check turns the store's answer into the result of the call. It throws for an invalid answer.
   * @param thrown returns an error of the caller itself, if there was one: it is passed on as it is.
   */
  #call<Answer, T>(
    action: string,
    id: string | undefined,
    work: (isOver: () => boolean) => MaybePromise<Answer>,
    check: (answer: Answer) => T,
    thrown?: () => { error: unknown } | undefined
  ): MaybePromise<T> {
    let isOver = false
    const reportError = (cause: unknown): unknown => {
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
      throw reportError(error)
    }
    // A store may return anything with a method `then`.
    const pending = Promise.resolve(answer)
    return new Promise<T>((resolve, reject) => {
      const fail = (cause: unknown): void => {
        clearTimeout(timer)
        // The call has timed out, which was reported already.
        if (isOver) return
        isOver = true
        reject(reportError(cause))
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
    const backend = checkedStores.get(this.#store)
    const name = backend ? ` (${backend.backendName()})` : ''
    const advice = backend?.whenSlow ?? 'look at the backend'
    return new SessionError('ERR_SESSION_TIMEOUT', `the session store${name} took over ${this.#timeout} ms to ${action}: ${advice}, or raise storeTimeout`)
  }

  /** Checks a step of a listing. `'end'`: the listing has ended. `undefined`: the step found something that is not a record, or is not the owner's. */
  #checkListed({ done, value }: IteratorResult<SessionRecord>, owner: string | undefined): SessionRecord | 'end' | undefined {
    if (done) return 'end'
    if (this.#isChecked) return value
    const { id } = (value ?? {}) as Partial<SessionRecord>
    if (typeof id !== 'string' || this.#flawOf(value, id) !== undefined) return undefined
    // The caller may end what is listed: nobody may end the session of another owner.
    return owner === undefined || value.owner === owner ? value : undefined
  }

  /** Returns why a value is not a record of that id, or `undefined` if it is one. */
  #flawOf(record: unknown, id: string): string | undefined {
    if (this.#isChecked) return undefined
    try {
      return flawOf(record, id)
    } catch (error) {
      if (error instanceof SessionError) throw error
      return 'it cannot be read'
    }
  }

  /** @throws SessionError for an answer that is not a record of that id: one session must never get the data of another. */
  #assertRecord(answer: SessionRecord, id: string): void {
    const flaw = this.#flawOf(answer, id)
    if (flaw === undefined) return
    throw new SessionError('ERR_SESSION_STORE', `the session store returned something that is not the record of the session: ${flaw}`)
  }
}
