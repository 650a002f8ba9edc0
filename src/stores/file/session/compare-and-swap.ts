import { randomUUID } from 'node:crypto'
import type { Stats } from 'node:fs'
import { readRecord, type SessionRecord } from '../../../record/index.js'
import type { FileNames } from '../file-names.js'
import { hasTimes, isSameState, timesOfRecord, type FileTimes } from '../file-times.js'
import { discard, hasCode, isForeign, link, lstat, readFile, writeNew, type Unreadable, type WriteOptions } from '../fs-calls.js'

/** The settings that the parts of a file store share. */
export interface FileContext {
  readonly names: FileNames
  readonly writeOptions: WriteOptions
  /** The size in bytes over which a file cannot be a record. */
  readonly largest: number
}

/**
 * Creates a record's file, or replaces or removes it if it holds a known state, in one atomic step across all processes.
 *
 * claims.ts implements this with hard links, lock-files.ts without. `LinksOrLocks` chooses between the two.
 */
export interface CompareAndSwap {
  /**
   * Stores a new record. `false`: the id is taken. It rejects with `ENOENT` when the directory is missing.
   *
   * @param began when the caller began, in milliseconds since the epoch.
   */
  create(id: string, text: string, times: FileTimes, began: number): Promise<boolean>
  /** Replaces the record that is in the state `from`. `false`: it is in another state or gone. */
  replace(id: string, from: FileTimes, text: string, times: FileTimes): Promise<boolean>
  /** Removes the record that is in the state `from`. `false`: it is in another state or gone. */
  remove(id: string, from: FileTimes): Promise<boolean>
}

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
  readonly #names: FileNames
  readonly #claims: CompareAndSwap
  readonly #locks: CompareAndSwap
  #chosen: CompareAndSwap | undefined

  constructor(names: FileNames, claims: CompareAndSwap, locks: CompareAndSwap) {
    this.#names = names
    this.#claims = claims
    this.#locks = locks
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
    const [from, to] = [this.#names.temporary(noId, randomUUID()), this.#names.temporary(noId, randomUUID())]
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

/** Reads the record in a file. `undefined`: there is none, or a newer version wrote it, so that this version must leave it alone. */
export async function readStored(path: string, id: string, largest: number): Promise<{ readonly record: SessionRecord; readonly stats: Stats } | Unreadable | undefined> {
  const found = await readFile(path, largest)
  if (!found || 'corrupt' in found) return found
  try {
    const reading = readRecord(found.text, id, largest)
    return 'corrupt' in reading ? reading : { record: reading.record, stats: found.stats }
  } catch {
    return undefined
  }
}

/** Reports whether a file holds the state `from` of a record. */
export async function holdsState(path: string, id: string, from: FileTimes, largest: number): Promise<boolean> {
  const stats = await lstat(path)
  if (!stats || isForeign(stats)) return false
  if (hasTimes(stats, from)) return true
  // It may still hold that state: a person edited or copied the file, or its file system does not keep such times. Only its text shows it.
  const stored = await readStored(path, id, largest)
  return stored !== undefined && 'record' in stored && isSameState(timesOfRecord(stored.record), from)
}
