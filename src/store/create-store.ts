import { conflictError, SessionError, storeError } from '../errors.js'
import { emit } from '../events.js'
import { createWriter, isSameCreation, readRecord, wasCreated, writeRecord, type SessionRecord, type Version } from '../record/index.js'
import type { Backend, Found, RecordWithToken, Removed, StoreDefinition, SwapResult, Written } from './backend.js'
import { defaultScope, type MaybePromise, type SessionStore, type StoreScope } from './contract.js'
import { isGone, isListed, isLive } from './deadline.js'
import { isPromise } from './maybe-promise.js'
import { OpenCalls } from './open-calls.js'
import { Pruning } from './pruning.js'
import { pauseAfter, retryEnd } from './retries.js'
import { SessionQueue, type Job, type QueuedSession } from './session-queue.js'
import { markChecked } from './timed-store.js'

/** After how many characters of text one step of many updates ends: recipes on large records must not block the event loop. */
const longestStep = 256 * 1024

/** How often `create` tries to reuse an id whose record is gone. */
const mostCreations = 5

/**
 * Makes a store from the operations of a backend. It checks ids, reads texts strictly, applies deadlines, retries after conflicts, queues the
 * updates of a session inside the process, waits for calls in progress in `close()`, publishes events, and turns every error into a
 * `SessionError`.
 */
export function createStore<Token>(definition: StoreDefinition<Token>): SessionStore {
  const { name } = definition
  const advice = (error: unknown): string | undefined => definition.advice?.(error)
  const calls = new OpenCalls(name)
  const backends: Backend<Token>[] = []
  const prunings: Pruning[] = []
  const closing = new AbortController()
  let closed: Promise<void> | undefined

  async function close(): Promise<void> {
    closing.abort()
    for (const pruning of prunings) pruning.stop()
    await calls.close()
    await Promise.all(backends.map(async (backend) => backend.close?.()))
    await definition.close?.()
  }

  /** Runs one call. It is refused after `close()`, and `close()` waits for it. */
  async function call<T>(action: string, work: () => Promise<T>): Promise<T> {
    calls.begin()
    try {
      return await work()
    } catch (error) {
      throw error instanceof RecipeError ? error.cause : storeError(action, error, advice(error), definition.backendName?.())
    } finally {
      calls.end()
    }
  }

  function inScope(scope: StoreScope): SessionStore {
    const backend = definition.backend(scope, closing.signal)
    backends.push(backend)
    const records = new Records(backend, scope)

    /** The live records of a listing; if an owner is given, only the owner's. */
    async function* listed(list: () => AsyncIterable<Found<Token> & { readonly id: string }>, owner?: string): AsyncGenerator<SessionRecord> {
      calls.assertOpen()
      try {
        for await (const found of list()) {
          const record = await records.parse(found.id, found)
          if (record && isListed(record, scope.now(), owner)) yield record
        }
      } catch (error) {
        throw storeError('list sessions', error, advice(error), definition.backendName?.())
      }
      // A caller must not take a listing that `close()` cut short for a complete one.
      calls.assertOpen()
    }

    /** Runs a call about one session. The first such call starts the pruning. */
    function callAndPrune<T>(id: string, action: string, work: () => Promise<T>): Promise<T> {
      pruning.begin()
      return isId(id) ? call(action, work) : Promise.reject(wrongId())
    }

    const store: SessionStore = {
      read: (id) => callAndPrune(id, 'read a session', () => records.readLive(id)),
      create: (id, record) => callAndPrune(id, 'create a session', () => records.create(id, record)),
      update: (id, recipe, seen) => callAndPrune(id, 'save a session', () => records.queue.update(id, recipe, seen)),
      destroy: (id) => callAndPrune(id, 'remove a session', () => records.queue.run(id, (queued) => records.destroy(id, queued))),
      prune: () => call('remove expired sessions', async () => (await backend.prune?.()) ?? 0),
      close: () => (closed ??= close()),
      scope: inScope
    }
    const pruning = new Pruning(backend.prune ? (definition.pruneEvery ?? 0) : 0, () => store.prune!())
    prunings.push(pruning)
    if (backend.list) store.records = () => listed(() => backend.list!())
    if (backend.ownedBy) store.ownedBy = (owner) => listed(() => backend.ownedBy!(owner), owner)
    markChecked(store, { backendName: () => definition.backendName?.() ?? name, whenSlow: definition.whenSlow })
    return store
  }

  return inScope(defaultScope)
}

/** The calls about the records of one scope, made with the operations of its backend. */
class Records<Token> {
  readonly queue = new SessionQueue((id, queued, jobs) => this.#update(id, queued, jobs))
  readonly #backend: Backend<Token>
  readonly #scope: StoreScope
  readonly #writer = createWriter()
  /** The backend's tokens of the records that the store returned. */
  readonly #tokens = new WeakMap<SessionRecord, Token>()

  constructor(backend: Backend<Token>, scope: StoreScope) {
    this.#backend = backend
    this.#scope = scope
  }

  async readLive(id: string): Promise<SessionRecord | undefined> {
    // A read is what most requests wait for, so it makes no promise that it does not need.
    const found = await this.#backend.get(id)
    const parsed = found && this.parse(id, found)
    const record = isPromise(parsed) ? await parsed : parsed
    if (!record || isLive(record, this.#scope.now())) return record
    emit({ type: 'expire', id })
    return undefined
  }

  async create(id: string, record: SessionRecord): Promise<boolean> {
    const next = written(record.rev === 1 ? record : { ...record, rev: 1 })
    let removed: Removed | undefined
    for (let tries = 0; tries < mostCreations; tries++) {
      const inserted = await this.#backend.insert(id, next, removed)
      if (inserted === true) return true
      removed = inserted || undefined
      if (removed) {
        if (this.#wasCreated(next, { write: removed.removedBy })) return true
        continue
      }
      const found = await this.#backend.get(id)
      if (!found) continue
      if (found.text === next.text) return true
      const present = await this.parse(id, found)
      if (present && this.#wasCreated(next, present)) return true
      // A backend that moves corrupt texts aside has freed the id.
      if (!present && this.#backend.corrupt && tries === 0) continue
      if (!present || !isGone(present, this.#scope.now())) return false
      await this.#backend.remove(id, this.#withToken(present), this.#writer.next(present.write))
    }
    throw conflictError(mostCreations)
  }

  /** Reports whether a creation was applied although the id is taken: a driver may send a command again because the first answer was lost. */
  #wasCreated({ record }: Written, stored: Pick<Version, 'write'>): boolean {
    return !this.#backend.sendsOnce && wasCreated(record, stored)
  }

  async destroy(id: string, queued: QueuedSession): Promise<SessionRecord | undefined> {
    queued.lastWritten = undefined
    const end = retryEnd()
    let current = await this.#readPresent(id)
    for (let tries = 1; current; tries++) {
      const swapped = await this.#backend.remove(id, this.#withToken(current), this.#writer.next(current.write))
      if (swapped === 'done') return current
      current = await this.#afterConflict(current, swapped, tries, end)
    }
    await this.#backend.confirmGone?.(id)
    return undefined
  }

  /** Reads a text strictly. `undefined`, and an event, if it is not a record of that id. */
  parse(id: string, found: Found<Token>): MaybePromise<SessionRecord | undefined> {
    const reading = readRecord(found.text, id, this.#scope.largest)
    if ('corrupt' in reading) return this.#reportCorrupt(id, reading.corrupt)
    if (found.token !== undefined) this.#tokens.set(reading.record, found.token)
    return reading.record
  }

  async #reportCorrupt(id: string, reason: string): Promise<undefined> {
    await this.#backend.corrupt?.(id, reason)
    emit({ type: 'corrupt', id, reason })
  }

  async #read(id: string): Promise<SessionRecord | undefined> {
    const found = await this.#backend.get(id)
    return found && this.parse(id, found)
  }

  /** Reads the record that `update` and `destroy` can find: one that is not gone. */
  async #readPresent(id: string): Promise<SessionRecord | undefined> {
    return this.#unlessGone(await this.#read(id))
  }

  /** Returns the record. `undefined`, and an event, if it is gone. */
  #unlessGone(record: SessionRecord | undefined): SessionRecord | undefined {
    if (!record || !isGone(record, this.#scope.now())) return record
    emit({ type: 'expire', id: record.id })
    return undefined
  }

  /** The record, with its token if the store has read it. */
  #withToken(record: SessionRecord): RecordWithToken<Token> {
    return { record, token: this.#tokens.get(record) }
  }

  /** Makes the updates of one session that wait in this process, settles their promises and returns how many it settled. */
  async #update(id: string, queued: QueuedSession, jobs: readonly Job[]): Promise<number> {
    const end = retryEnd()
    try {
      let current = this.#newestKnown(id, queued, jobs[0]!.seen) ?? (await this.#readPresent(id))
      for (let tries = 1; current; tries++) {
        const step = this.#applyRecipes(current, jobs)
        queued.lastWritten = undefined
        const swapped = await this.#store(id, current, step)
        if (swapped === 'done') {
          queued.lastWritten = step.next?.record
          for (const [at, answer] of step.answers.entries()) settle(jobs[at]!, answer)
          return step.answers.length
        }
        current = await this.#afterConflict(current, swapped, tries, end)
        const stored = current ?? removalIn(swapped)
        if (step.next && stored && this.#wasApplied(step.next.record, stored)) {
          for (const [at, answer] of step.answers.entries()) settle(jobs[at]!, answer)
          return step.answers.length
        }
      }
      for (const job of jobs) job.resolve(undefined)
    } catch (error) {
      for (const job of jobs) job.reject(error)
    }
    return jobs.length
  }

  /** The newest record that is known without reading. `undefined`: the record must be read. */
  #newestKnown(id: string, queued: QueuedSession, seen: SessionRecord | undefined): SessionRecord | undefined {
    const known = queued.lastWritten && queued.lastWritten.rev >= (seen?.rev ?? 0) ? queued.lastWritten : seen
    // If the known deadline has passed, another process may have moved it.
    return known && known.id === id && isLive(known, this.#scope.now()) ? known : undefined
  }

  /** Carries out a step. A step that changes nothing (each recipe failed) needs no write. */
  #store(id: string, current: SessionRecord, { next, removes }: Step): Promise<SwapResult<Token>> | 'done' {
    if (removes) return this.#backend.remove(id, this.#withToken(current), this.#writer.next(current.write))
    return next ? this.#backend.replace(id, this.#withToken(current), next) : 'done'
  }

  /**
   * Pauses, and returns the record that another writer stored; `undefined` if it removed the record.
   *
   * @param tried the record that the write was based on.
   * @throws SessionError `ERR_SESSION_STORE` if the record was removed and another one created, by a driver that may have sent the write before.
   */
  async #afterConflict(tried: SessionRecord, swapped: Exclude<SwapResult<Token>, 'done'>, tries: number, end: number): Promise<SessionRecord | undefined> {
    if (swapped === 'gone') return undefined
    if (typeof swapped === 'object' && 'removedBy' in swapped) {
      this.#assertSameCreation(tried, { write: swapped.removedBy })
      return undefined
    }
    await pauseAfter(tries, end)
    const stored = await (swapped === 'changed' ? this.#readPresent(tried.id) : this.parse(tried.id, swapped))
    if (stored) this.#assertSameCreation(tried, stored)
    return this.#unlessGone(stored)
  }

  #assertSameCreation(tried: SessionRecord, stored: Pick<Version, 'write'>): void {
    if (!this.#backend.sendsOnce && !isSameCreation(tried, stored)) throw unknownOutcome('the session was removed and created again since')
  }

  /**
   * Reports whether a write was applied although the backend reported a conflict: a driver may send a command again because the first answer
   * was lost.
   *
   * @throws SessionError `ERR_SESSION_STORE` when the store cannot know.
   */
  #wasApplied(tried: SessionRecord, stored: Version): boolean {
    if (this.#backend.sendsOnce) return false
    const applied = this.#writer.wasApplied(tried, stored)
    if (applied !== undefined) return applied
    throw unknownOutcome('too many other processes have written to the session since')
  }

  /** Runs the recipes, each on the result of the one before. */
  #applyRecipes(current: SessionRecord, jobs: readonly Job[]): Step {
    const step: Step = { answers: [], next: undefined, removes: false }
    let length = 0
    for (const { recipe } of jobs) {
      const before = step.next?.record ?? current
      try {
        const made = recipe(before)
        if (made === null) {
          // A removal after other updates is a step of its own, so that the updates are not lost if the removal fails.
          if (step.next) return step
          step.answers.push({ value: null })
          step.removes = true
          return step
        }
        step.next = written({ ...made, rev: before.rev + 1, write: this.#writer.next(current.write) })
        step.answers.push({ value: step.next.record })
        length += step.next.text.length
      } catch (error) {
        step.answers.push({ error: new RecipeError('the recipe threw', { cause: error }) })
      }
      if (length > longestStep) return step
    }
    return step
  }
}

/** The result of running recipes on a record: an answer for each job, and the record to write, or its removal. */
interface Step {
  readonly answers: ({ value: SessionRecord | null } | { error: unknown })[]
  next: Written | undefined
  removes: boolean
}

/** Wraps an error that a recipe threw: it is the caller's own error, and not one of the backend. */
class RecipeError extends Error {}

/** The removal that a compare-and-swap met, as the last write of the record. Its revision is not known. */
function removalIn<Token>(swapped: SwapResult<Token>): Version | undefined {
  return typeof swapped === 'object' && 'removedBy' in swapped ? { rev: Infinity, write: swapped.removedBy } : undefined
}

function unknownOutcome(why: string): SessionError {
  return new SessionError(
    'ERR_SESSION_STORE',
    `the session store cannot tell whether the changes were saved, because ${why}: read the session again before you repeat the request`
  )
}

function settle({ resolve, reject }: Job, answer: Step['answers'][number]): void {
  if ('error' in answer) reject(answer.error)
  else resolve(answer.value)
}

function written(record: SessionRecord): Written {
  return { record, text: writeRecord(record) }
}

/** Refuses an id that is not a SHA-256, because ids become parts of keys and paths. */
export function assertId(id: string): void {
  if (!isId(id)) throw wrongId()
}

function isId(id: unknown): boolean {
  return typeof id === 'string' && idPattern.test(id)
}

function wrongId(): TypeError {
  return new TypeError('an id must be 64 lower-case hexadecimal digits, the SHA-256 of a sid')
}

const idPattern = /^[0-9a-f]{64}$/
