import { randomUUID } from 'node:crypto'
import { Claims } from './claims.js'
import type { CompareAndSwap, FileContext } from './compare-and-swap.js'
import type { FileTimes } from '../file-times.js'
import { discard, hasCode, link, writeNew } from '../fs-calls.js'
import { Locks } from './lock-files.js'

/** The id in the names of the trial's files. No session has it. */
const noId = '0'.repeat(64)
/** How often a hard link must be refused. */
const mostTries = 3
/** The codes with which file systems refuse hard links. */
const refusals = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']

/**
 * Uses claims if the directory's file system has hard links, and lock files if it has none. A trial before the first change decides, and not a
 * failure in the middle of one, so that all processes that share the directory make the same choice.
 */
export class LinksOrLocks implements CompareAndSwap {
  readonly #context: FileContext
  readonly #claims: Claims
  readonly #locks: Locks
  #chosen: CompareAndSwap | undefined

  constructor(context: FileContext) {
    this.#context = context
    this.#claims = new Claims(context)
    this.#locks = new Locks(context)
  }

  async create(id: string, text: string, times: FileTimes, began: number): Promise<boolean> {
    return (this.#chosen ?? (await this.#choose())).create(id, text, times, began)
  }

  async replace(id: string, from: FileTimes, text: string, times: FileTimes): Promise<boolean> {
    return (this.#chosen ?? (await this.#choose())).replace(id, from, text, times)
  }

  async remove(id: string, from: FileTimes): Promise<boolean> {
    return (this.#chosen ?? (await this.#choose())).remove(id, from)
  }

  async #choose(): Promise<CompareAndSwap> {
    const hasLinks = await this.#tryLink()
    // Try again with the next call: on a full disk the trial fails, but claims can still remove sessions.
    if (hasLinks === undefined) return this.#claims
    return (this.#chosen = hasLinks ? this.#claims : this.#locks)
  }

  /** Reports whether a hard link can be made. `undefined`: the trial failed for another reason. */
  async #tryLink(): Promise<boolean | undefined> {
    const { names } = this.#context
    const [from, to] = [names.temporary(noId, randomUUID()), names.temporary(noId, randomUUID())]
    try {
      await writeNew(from, '', undefined, { mode: 0o600, sync: false })
    } catch {
      return undefined
    }
    try {
      // A file system without hard links refuses each time. A program that looks at new files may cause a single refusal.
      for (let tries = 1; ; tries++) {
        try {
          await link(from, to)
          return true
        } catch (error) {
          if (!hasCode(error, ...refusals)) return undefined
          if (tries === mostTries) return false
        }
      }
    } finally {
      await discard(to)
      await discard(from)
    }
  }
}
