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
  async read(id: string): Promise<SessionRecord | undefined> {
    const record = (await this.#call('read a session', id, () => this.#store.read(id))) ?? undefined
    const corrupt = record && flawOf(record, id)
    return corrupt === undefined ? record : emit({ type: 'corrupt', id, reason: corrupt })
  }

  /** Under an id that was just made, so that it cannot be taken. */
  async create(record: SessionRecord): Promise<void> {
    const { id } = record
    if (await this.#call('create a session', id, () => this.#store.create(id, record))) return
    throw new SessionError('ERR_SESSION_STORE', 'the session store says that a sid just made is taken: check that create() answers true for new ids')
  }

  /** Rejects with what the recipe threw, if it did. */
  async update(action: string, seen: SessionRecord, recipe: Recipe): Promise<SessionRecord | null | undefined> {
    const { id } = seen
    let thrown: { error: unknown } | undefined
    let late = false
    let runs = 0
    const guarded: Recipe = (current) => {
      if (runs++ > 0) emit({ type: 'conflict', id })
      // The client was told that it failed: a store that tries again after that must not succeed.
      if (late) throw this.#timedOut(action)
      try {
        return recipe(current)
      } catch (error) {
        thrown = { error }
        throw error
      }
    }
    try {
      return await this.#call(action, id, async () => ownRecord(await this.#store.update(id, guarded, seen), id), () => thrown)
    } catch (error) {
      late = true
      throw thrown ? thrown.error : error
    }
  }

  destroy(id: string): Promise<SessionRecord | undefined> {
    return this.#call('destroy a session', id, async () => ownRecord(await this.#store.destroy(id), id) ?? undefined)
  }

  /** @param isOurs whether a failure is not the store's. */
  #call<T>(action: string, id: string, work: () => Promise<T>, isOurs?: () => unknown): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      let isOver = false
      const fail = (cause: unknown): void => {
        clearTimeout(timer)
        // What comes after the time is over was told already.
        if (isOver) return
        isOver = true
        if (isOurs?.()) return reject(cause)
        const error = storeError(action, cause)
        emit({ type: 'store-error', id, error })
        reject(error)
      }
      const timer = setTimeout(() => fail(this.#timedOut(action)), this.#timeout).unref()
      const answer = (value: T): void => {
        clearTimeout(timer)
        resolve(value)
      }
      try {
        work().then(answer, fail)
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
