import { setTimeout as delay } from 'node:timers/promises'
import type { MaybePromise, Recipe, SessionRecord, SessionStore } from '../../../src/store/index.js'
import { monotonicTime, timeAt, type Call, type Clock, type Kind, type Outcome } from '../model/history.js'
import { committedRecord, createdRecord, idOf, nameOf, seenOf } from './content.js'
import type { Recorder } from './recorder.js'

/** A store object with a clock of its own. */
export interface Access {
  readonly store: SessionStore
  readonly clock: Clock
  /** The index of the clock in the history. */
  readonly clockIndex: number
}

/** What `refuse` throws. */
const refusal = new Error('this recipe refuses')

/** How long a client waits before it asks again whether the store answers, in milliseconds. */
const askEvery = 10
/** How long the store may take to answer again, in milliseconds. */
const longestOutage = 60_000
/** How long a client waits for an answer, in milliseconds, as the middleware does: a driver may never give one. */
const patience = 15_000

/** How many records of a session a client remembers, to update from them later. */
const mostRemembered = 4

/** Carries out operations one after another, and records them. */
export class Client {
  readonly #recorder: Recorder
  readonly #nextId: () => string
  /** Records that stores of this process have given out, by session. Clients may share it. */
  readonly #remembered: Map<string, SessionRecord[]>

  constructor(recorder: Recorder, nextId: () => string, remembered: Map<string, SessionRecord[]>) {
    this.#recorder = recorder
    this.#nextId = nextId
    this.#remembered = remembered
  }

  /** Answers whether the store answered. */
  async perform(access: Access, kind: Kind, details: Pick<Call, 'session' | 'owner' | 'expires'>, seen?: SessionRecord): Promise<boolean> {
    const call: Call = { id: this.#nextId(), kind, ...details, clock: access.clockIndex, began: monotonicTime() }
    this.#recorder.begin(call)
    let outcome: Outcome
    try {
      outcome = await inTime(this.#carryOut(access, call, seen))
    } catch (error) {
      outcome = { type: 'failed', reason: error instanceof Error ? error.message : String(error) }
    }
    this.#recorder.end(call.id, outcome)
    return outcome.type !== 'failed'
  }

  /** A record of the session that a store gave out earlier, if there is one: the newest or an old one. */
  recall(session: string, pick: (records: readonly SessionRecord[]) => SessionRecord): SessionRecord | undefined {
    const records = this.#remembered.get(session)
    return records && pick(records)
  }

  /** Waits until the store answers again. */
  async waitForAnswer({ store }: Access): Promise<void> {
    for (const end = performance.now() + longestOutage; ; await delay(askEvery)) {
      try {
        await inTime(store.read(idOf('nobody')))
        return
      } catch (error) {
        if (performance.now() > end) throw new Error('the store does not answer any more', { cause: error })
      }
    }
  }

  async #carryOut({ store, clock }: Access, call: Call, seen: SessionRecord | undefined): Promise<Outcome> {
    const { kind, session = '', owner } = call
    const id = idOf(session)
    switch (kind) {
      case 'create': {
        const record = createdRecord(call, timeAt(clock, call.began))
        if (!(await store.create(id, record))) return { type: 'taken' }
        this.#remember(session, record)
        return { type: 'created' }
      }
      case 'read':
        return this.#found(session, await store.read(id))
      case 'destroy':
        return this.#found(session, await store.destroy(id))
      case 'list': {
        const sessions: [string, ReturnType<typeof seenOf>][] = []
        for await (const record of owner === undefined ? store.records!() : store.ownedBy!(owner)) sessions.push([nameOf(record), seenOf(record)])
        return { type: 'listed', sessions }
      }
      default:
        return this.#update(store, id, call, seen)
    }
  }

  async #update(store: SessionStore, id: string, call: Call, seen: SessionRecord | undefined): Promise<Outcome> {
    const { kind, session = '' } = call
    let current: SessionRecord | undefined
    const recipe: Recipe = (record) => {
      current = record
      if (kind === 'refuse') throw refusal
      return kind === 'remove' ? null : committedRecord(record, call)
    }
    try {
      const written = await store.update(id, recipe, seen)
      // A recipe that removes is given the last state.
      const outcome = this.#found(session, written === null ? current : written)
      const flaw = current && seenOf(current).flaw
      return outcome.type === 'record' && flaw !== undefined ? { type: 'record', seen: { ...outcome.seen, flaw: `it was made of a record that is not whole: ${flaw}` } } : outcome
    } catch (error) {
      if (error === refusal) return { type: 'refused' }
      throw error
    }
  }

  #found(session: string, record: SessionRecord | undefined): Outcome {
    if (!record) return { type: 'none' }
    this.#remember(session, record)
    return { type: 'record', seen: seenOf(record) }
  }

  #remember(session: string, record: SessionRecord): void {
    const records = this.#remembered.get(session) ?? []
    this.#remembered.set(session, [...records.slice(1 - mostRemembered), record])
  }
}

async function inTime<T>(answer: MaybePromise<T>): Promise<T> {
  const stop = new AbortController()
  const late = delay(patience, undefined, { signal: stop.signal }).then(() => {
    throw new Error(`no answer within ${patience} ms`)
  })
  try {
    return await Promise.race([answer, late])
  } finally {
    stop.abort()
    late.catch(() => undefined)
  }
}
