import { SessionError, storeError } from './errors.js'
import { emit } from './events.js'
import { flawOf } from './record.js'
import type { Recipe, SessionRecord, SessionStore } from './store.js'

/**
 * The store as the middleware calls it: every call ends in time, what fails is a `SessionError` and an event, and what is
 * answered is a record of the id that was asked for.
 */
export class TimedStore {
  readonly #store: SessionStore
  readonly #timeout: number

  /** @param timeout how long a call may take, in milliseconds. */
  constructor(store: SessionStore, timeout: number) {
    this.#store = store
    this.#timeout = timeout
  }

  /** What is no record of that id is none, as the contract says, and told as an event. */
  read(id: string): Promise<SessionRecord | undefined> {
    return this.#call('read a session', id, () => this.#store.read(id), (record) => {
      const corrupt = record ? flawOf(record, id) : undefined
      return corrupt === undefined ? record ?? undefined : emit({ type: 'corrupt', id, reason: corrupt })
    })
  }

  /** Under an id that was just made, so that it cannot be taken. */
  create(record: SessionRecord): Promise<void> {
    const { id } = record
    return this.#call('create a session', id, () => this.#store.create(id, record), (isMade) => {
      if (isMade) return
      throw new SessionError('ERR_SESSION_STORE', 'the session store says that a sid just made is taken: check that create() answers true for new ids')
    })
  }

  /** Rejects with what the recipe threw, if it did. */
  update(action: string, seen: SessionRecord, recipe: Recipe): Promise<SessionRecord | null | undefined> {
    const { id } = seen
    let thrown: { error: unknown } | undefined
    let runs = 0
    const work = (isOver: () => boolean): Promise<SessionRecord | null | undefined> => {
      const guarded: Recipe = (current) => {
        if (runs++ > 0) emit({ type: 'conflict', id })
        // The client was told that it failed: a store that tries again after that must not succeed.
        if (isOver()) throw this.#timedOut(action)
        try {
          return recipe(current)
        } catch (error) {
          thrown = { error }
          throw error
        }
      }
      return this.#store.update(id, guarded, seen)
    }
    return this.#call(action, id, work, (written) => ownRecord(written, id), () => thrown)
  }

  destroy(id: string): Promise<SessionRecord | undefined> {
    return this.#call('destroy a session', id, () => this.#store.destroy(id), (last) => ownRecord(last, id) ?? undefined)
  }

  /**
   * @param work is told whether the call is over, as it is when it took too long
   * @param check what is made of the answer; throws when it is none
   * @param thrown an error that is not the store's, if there was one
   */
  #call<Answer, T>(
    action: string,
    id: string,
    work: (isOver: () => boolean) => Promise<Answer>,
    check: (answer: Answer) => T,
    thrown?: () => { error: unknown } | undefined
  ): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let isOver = false
      const fail = (cause: unknown): void => {
        clearTimeout(timer)
        // What comes after the time is over was told already.
        if (isOver) return
        isOver = true
        const ours = thrown?.()
        if (ours) return reject(ours.error)
        const error = storeError(action, cause)
        emit({ type: 'store-error', id, error })
        reject(error)
      }
      const timer = setTimeout(() => fail(this.#timedOut(action)), this.#timeout).unref()
      const answer = (value: Answer): void => {
        clearTimeout(timer)
        if (isOver) return
        try {
          resolve(check(value))
        } catch (error) {
          fail(error)
        }
      }
      try {
        // Written in JavaScript, a store may answer without a promise.
        Promise.resolve(work(() => isOver)).then(answer, fail)
      } catch (error) {
        fail(error)
      }
    })
  }

  #timedOut(action: string): SessionError {
    return new SessionError('ERR_SESSION_TIMEOUT', `the session store took over ${this.#timeout} ms to ${action}: look at the backend, or raise storeTimeout`)
  }
}

/** What a store answered, if it is a record of that id: a swapped answer must not make one session of two. */
function ownRecord<T>(answer: SessionRecord | T, id: string): SessionRecord | T {
  const flaw = answer === undefined || answer === null ? undefined : flawOf(answer, id)
  if (flaw === undefined) return answer
  throw new SessionError('ERR_SESSION_STORE', `the session store answered something that is not the session's record: ${flaw}`)
}
