import { conflictError, SessionError } from '../errors.js'
import { emit } from '../events.js'
import { createWriter, isSameCreation, readRecord, wasCreated, type SessionRecord, type Version } from '../record/index.js'
import type { Backend, Found, RecordWithToken, Removed, SwapResult, Written } from './backend.js'
import type { MaybePromise, StoreScope } from './contract.js'
import { isGone, isLive } from './deadline.js'
import { KnownRecords } from './known-records.js'
import { isPromise } from './maybe-promise.js'
import { pauseAfter, retryEnd } from './retries.js'
import { SessionQueue, type Job, type QueuedSession } from './session-queue.js'
import { applyRecipes, settleJobs, withText, type Step } from './steps.js'

/** How often `create` tries to reuse an id whose record is gone. */
const mostCreations = 5

/** The calls about the records of one scope, made with the operations of its backend. */
export class Records<Token> {
  readonly queue = new SessionQueue((id, queued, jobs) => this.#update(id, queued, jobs))
  readonly #backend: Backend<Token>
  readonly #scope: StoreScope
  readonly #writer = createWriter()
  /** The backend's tokens of the records that the store returned. */
  readonly #tokens = new WeakMap<SessionRecord, Token>()
  #known: KnownRecords | undefined

  constructor(backend: Backend<Token>, scope: StoreScope) {
    this.#backend = backend
    this.#scope = scope
  }

  /** From now on, reads of an unchanged text return the same record. */
  shareReads(): void {
    this.#known ??= new KnownRecords()
  }

  async readLive(id: string): Promise<SessionRecord | undefined> {
    // A read is what most requests wait for, so it makes no promise that it does not need.
    const found = await this.#backend.get(id)
    const parsed = this.#parseUnlessKnown(id, found)
    const record = isPromise(parsed) ? await parsed : parsed
    if (!record || isLive(record, this.#scope.now())) return record
    this.#known?.forget(id)
    emit({ type: 'expire', id })
    return undefined
  }

  async create(id: string, record: SessionRecord): Promise<boolean> {
    const next = withText(record.rev === 1 ? record : { ...record, rev: 1 })
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
    try {
      let current = await this.#readPresent(id)
      for (let tries = 1; current; tries++) {
        const swapped = await this.#backend.remove(id, this.#withToken(current), this.#writer.next(current.write))
        if (swapped === 'done') return current
        current = await this.#afterConflict(current, swapped, tries, end)
      }
      await this.#backend.confirmGone?.(id)
      return undefined
    } finally {
      this.#known?.forget(id)
    }
  }

  #parseUnlessKnown(id: string, found: Found<Token> | undefined): MaybePromise<SessionRecord | undefined> {
    if (!found) {
      this.#known?.forget(id)
      return undefined
    }
    const known = this.#known?.find(id, found.text)
    if (known) {
      this.#setToken(known, found)
      return known
    }
    const parsed = this.parse(id, found)
    if (parsed && !isPromise(parsed)) this.#known?.note(id, found.text, parsed)
    else this.#known?.forget(id)
    return parsed
  }

  /** Reads a text strictly. `undefined`, and an event, if it is not a record of that id. */
  parse(id: string, found: Found<Token>): MaybePromise<SessionRecord | undefined> {
    const reading = readRecord(found.text, id, this.#scope.largest)
    if ('corrupt' in reading) return this.#reportCorrupt(id, reading.corrupt)
    this.#setToken(reading.record, found)
    return reading.record
  }

  #setToken(record: SessionRecord, { token }: Found<Token>): void {
    if (token !== undefined) this.#tokens.set(record, token)
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
      let current = this.#newestWithoutRead(id, queued, jobs[0]!.seen) ?? (await this.#readPresent(id))
      for (let tries = 1; current; tries++) {
        const step = applyRecipes(current, jobs, this.#writer)
        queued.lastWritten = undefined
        const swapped = await this.#writeStep(id, current, step)
        if (swapped === 'done') {
          queued.lastWritten = step.next?.record
          return settleJobs(jobs, step)
        }
        current = await this.#afterConflict(current, swapped, tries, end)
        const stored = current ?? removalIn(swapped)
        if (step.next && stored && this.#wasApplied(step.next.record, stored)) return settleJobs(jobs, step)
      }
      for (const job of jobs) job.resolve(undefined)
    } catch (error) {
      for (const job of jobs) job.reject(error)
    } finally {
      this.#known?.forget(id)
    }
    return jobs.length
  }

  /** The newest record that this process has, so that the update need not read it. `undefined`: the record must be read. */
  #newestWithoutRead(id: string, queued: QueuedSession, seen: SessionRecord | undefined): SessionRecord | undefined {
    const newest = queued.lastWritten && queued.lastWritten.rev >= (seen?.rev ?? 0) ? queued.lastWritten : seen
    // If its deadline has passed, another process may have moved it.
    return newest && newest.id === id && isLive(newest, this.#scope.now()) ? newest : undefined
  }

  /** Writes a step. A step that changes nothing (each recipe failed) needs no write. */
  #writeStep(id: string, current: SessionRecord, { next, removes }: Step): Promise<SwapResult<Token>> | 'done' {
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
}

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
