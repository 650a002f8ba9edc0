import { reasonOf } from '../errors.js'
import { copyOf, isUntouchedCopy, originOf, type SessionRecord, type SessionStore } from '../store/index.js'
import type { Counts } from './copy-counts.js'
import { decide, type Decision } from './copy-decision.js'
import { CopyNote } from './copy-note.js'
import { forEachInParallel } from './for-each-in-parallel.js'

/** How many sessions are copied at once. More would take the backends from the application's own requests. */
const atOnce = 16
/** After how many failures in a row the copying ends: then a backend is down. */
const mostFailures = 20
/** By how much the clocks of the application and of the command may differ, in milliseconds. */
const clockDifference = 60_000

export interface CopySettings {
  /** The name of the source. */
  readonly from: string
  /** The name of the target. */
  readonly to: string
  readonly dryRun: boolean
  /** Copy sessions again that an earlier copy brought and the target no longer has. */
  readonly restore: boolean
}

/** The target's record that no longer has a session in the source. If the source has a marker instead, it replaces the record. */
export interface Ended {
  readonly id: string
  readonly marker: SessionRecord | undefined
}

/** A recipe throws it to leave the record as it is. */
class NoWrite extends Error {}

/** Copies the sessions of one store to another, with the same ids. */
export class SessionCopy {
  readonly #source: SessionStore
  readonly #target: SessionStore
  readonly #settings: CopySettings
  readonly #counts: Counts
  /** When this copying began, in milliseconds since the epoch. */
  readonly #began = Date.now()
  /** When the latest copying before this one began. `undefined`: the target has no copies, or cannot list them. */
  #lastBegan: number | undefined
  /** Whether an application has used the target. */
  #isInUse = false
  /** Whether the source's sessions were copied from the target, which still has sessions: then this copies in the wrong direction. */
  #isBackwards = false
  #failuresInRow = 0
  /** Absent: the target, like memcached, forgets sessions by itself, so what is missing there has not ended. */
  readonly #note: CopyNote | undefined
  /** When the latest complete copying before this one began. `undefined`: none is known. */
  #lastComplete: number | undefined
  /** Whether each session of the source is in the target, or was. */
  #isComplete = true
  /** The latest deadline of the source's sessions. */
  #latestDeadline = 0

  constructor(source: SessionStore, target: SessionStore, settings: CopySettings, counts: Counts) {
    this.#source = source
    this.#target = target
    this.#settings = settings
    this.#counts = counts
    this.#note = target.records && new CopyNote(target, settings.from)
  }

  /**
   * Looks at what earlier copies have brought, and returns the copies whose sessions the source no longer has. Call it before `copyAll`.
   *
   * @param findsEnded whether to look for those.
   * @param onEach is called after each session of the target.
   */
  async review(findsEnded: boolean, onEach: () => void): Promise<Ended[]> {
    const ended: Ended[] = []
    this.#lastComplete = await this.#note?.read()
    const wasCopiedHere = (await new CopyNote(this.#source, this.#settings.to).read()) !== undefined
    await forEachInParallel(this.#target.records?.() ?? nothing(), atOnce, async (record) => {
      this.#isBackwards = wasCopiedHere
      const origin = originOf(record)
      if (origin) this.#lastBegan = Math.max(this.#lastBegan ?? 0, origin.at)
      if (!isUntouchedCopy(record)) this.#isInUse = true
      else if (findsEnded) {
        const stored = await this.#source.read(record.id)
        if (!stored || stored.moved) ended.push({ id: record.id, marker: stored })
      }
      onEach()
    })
    return ended
  }

  /** Removes copies from the target, unless its application has used them meanwhile. */
  async removeEnded(ended: readonly Ended[]): Promise<void> {
    await forEachInParallel(itemsOf(ended), atOnce, ({ id, marker }) =>
      this.#attempt(id, async () => {
        if (!this.#settings.dryRun && !(await this.#replaceUntouched(id, marker))) return
        this.#counts.add('removed')
      })
    )
  }

  /** Copies every live session of the source. @param onEach is called after each. */
  async copyAll(onEach: () => void): Promise<void> {
    await forEachInParallel(this.#source.records!(), atOnce, async (record) => {
      this.#latestDeadline = Math.max(this.#latestDeadline, record.expires)
      await this.#attempt(record.id, () => this.#copy(record))
      onEach()
    })
    if (this.#isComplete && !this.#settings.dryRun) await this.#note?.write(this.#began, this.#latestDeadline)
  }

  async #copy(source: SessionRecord): Promise<void> {
    const { id } = source
    const target = await this.#target.read(id)
    if (target) return this.#count(id, await this.#writeOver(source, target))
    if (this.#isBackwards && !this.#settings.restore && isUntouchedCopy(source)) {
      return this.#counts.leaveOut(id, 'it is a copy of a session that has ended in the target since (--restore copies it back)')
    }
    if (this.#hasEndedInTarget(source)) return this.#counts.leaveOut(id, 'an earlier copy brought it, and it has ended in the target since (--restore copies it again)')
    if (this.#settings.dryRun || (await this.#target.create(id, copyOf(source, 1, this.#began)))) return this.#counts.add('copied')
    // The id is taken by a record that has just expired, or by another copying.
    const decision = await this.#writeOver(source)
    if (decision) return this.#count(id, decision)
    this.#isComplete = false
    this.#counts.leaveOut(id, 'the target has something under its id that is not a session: run check on the target')
  }

  /** Writes the source's record over the target's if that is right. `undefined`: the target has no record. @param seen the target's record. */
  async #writeOver(source: SessionRecord, seen?: SessionRecord): Promise<Decision | undefined> {
    let decision = seen && decide(source, seen)
    if (decision !== undefined && (decision !== 'write' || this.#settings.dryRun)) return decision
    const written = await this.#update(source.id, (current) => {
      decision = decide(source, current)
      if (decision !== 'write') throw new NoWrite()
      return copyOf(source, current.rev + 1, this.#began)
    }, seen)
    // The target's session has ended since it was read. It must not come back.
    if (written === undefined && seen) return 'kept'
    return written === undefined ? undefined : decision
  }

  /** Replaces a copy by a marker, or removes it. `false`: it has ended, or the target's application has changed it. */
  async #replaceUntouched(id: string, marker: SessionRecord | undefined): Promise<boolean> {
    const written = await this.#update(id, (current) => {
      if (!isUntouchedCopy(current)) throw new NoWrite()
      return marker ? copyOf(marker, current.rev + 1, this.#began) : null
    })
    return written !== undefined && written !== 'not written'
  }

  async #update(id: string, recipe: (current: SessionRecord) => SessionRecord | null, seen?: SessionRecord): Promise<SessionRecord | null | undefined | 'not written'> {
    try {
      return await this.#target.update(id, recipe, seen)
    } catch (error) {
      if (error instanceof NoWrite) return 'not written'
      throw error
    }
  }

  /**
   * Reports whether the target has had the session and its application has ended it, so that it must not come back. A complete copying brought
   * every session that the source had when it began. If the latest one was interrupted, but the target is in use, assume the same of it.
   */
  #hasEndedInTarget({ used }: SessionRecord): boolean {
    if (this.#settings.restore) return false
    if (this.#lastComplete !== undefined && used < this.#lastComplete - clockDifference) return true
    return this.#isInUse && this.#lastBegan !== undefined && used < this.#lastBegan
  }

  #count(id: string, decision: Decision | undefined): void {
    if (decision === 'conflict') this.#counts.leaveOut(id, 'the applications of both stores have changed it')
    else if (decision) this.#counts.add(decision === 'write' ? 'updated' : decision)
  }

  async #attempt(id: string, work: () => Promise<void>): Promise<void> {
    try {
      await work()
      this.#failuresInRow = 0
    } catch (error) {
      if (++this.#failuresInRow >= mostFailures) throw error
      this.#isComplete = false
      this.#counts.leaveOut(id, reasonOf(error))
    }
  }
}

async function* nothing(): AsyncGenerator<never> {}

async function* itemsOf<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}
