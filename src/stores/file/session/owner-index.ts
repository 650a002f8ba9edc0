import { join } from 'node:path'
import { makeDirectory, namesIn, syncDirectory } from '../directory.js'
import type { FileNames } from '../file-names.js'
import { discard, hasCode, lstat, rmdir, writeNew, type WriteOptions } from '../fs-calls.js'

/*
 * The index of owners has an empty file for each session of an owner: `owners/<hash of the owner>/<prefix><id>`.
 *
 * The index may have too many entries, but never too few:
 *
 *   - The entry is made before the record becomes the owner's, and removed only after the record was removed.
 *   - The sweep removes an entry only if there is no record of its id and the entry was older than two hours when the sweep began. A record
 *     that is gone does not come back, because an id is used once. A record that is still to be created does not come either: its
 *     temporary file was written at most half an hour after the entry (`assertInTime` in claims.ts), so it was older than one hour when the
 *     sweep began, and the sweep removed it before it came to the entries. Without it, the creation fails.
 *   - While there is a record under the id, the sweep leaves all entries of the id alone, even if the record has another owner now: it may be
 *     about to become the first owner's again.
 */

/** How long an entry without a record is kept, in milliseconds. */
const keepEntries = 2 * 3_600_000

/** Matches the name of the directory of an owner. */
export const ownerHashPattern = /^[0-9a-f]{64}$/

/** How often `add` tries to make an entry while sweeps remove its empty directory. */
const mostTries = 10

export class OwnerIndex {
  readonly #names: FileNames
  readonly #writeOptions: WriteOptions

  constructor(names: FileNames, writeOptions: WriteOptions) {
    this.#names = names
    this.#writeOptions = writeOptions
  }

  /** Makes the entry if it does not exist. */
  async add(owner: string, id: string): Promise<void> {
    const dir = this.#names.owner(owner)
    const path = this.#names.ownerEntry(dir, id)
    for (let tries = 1; ; tries++) {
      try {
        await writeNew(path, '', undefined, this.#writeOptions)
        if (this.#writeOptions.sync) await syncDirectory(dir)
        return
      } catch (error) {
        if (hasCode(error, 'EEXIST')) return
        if (!hasCode(error, 'ENOENT') || tries === mostTries) throw error
        await this.#makeDirectories(dir)
      }
    }
  }

  /** Removes the entry of a session whose record was removed. */
  async remove(owner: string, id: string): Promise<void> {
    await discard(this.#names.ownerEntry(this.#names.owner(owner), id))
  }

  /** The ids of the sessions that may be the owner's. */
  async *idsOf(owner: string): AsyncGenerator<string> {
    for await (const name of namesIn(this.#names.owner(owner))) {
      const id = this.#names.parseOwnerEntry(name)
      if (id !== undefined) yield id
    }
  }

  /**
   * Removes entries without a record, and directories without an entry.
   *
   * @param began when the sweep began, in milliseconds since the epoch. Since then it must have swept the temporary files.
   */
  async sweep(began: number, isOver: () => boolean): Promise<void> {
    for await (const hashed of namesIn(this.#names.owners)) {
      if (!ownerHashPattern.test(hashed)) continue
      const dir = join(this.#names.owners, hashed)
      for await (const name of namesIn(dir)) {
        if (isOver()) return
        const id = this.#names.parseOwnerEntry(name)
        if (id !== undefined && !(await lstat(this.#names.record(id)))) await this.#removeIfOld(join(dir, name), began)
      }
      await rmdir(dir).catch(ignoreFull)
    }
  }

  async #removeIfOld(path: string, began: number): Promise<void> {
    const stats = await lstat(path)
    if (stats && began - stats.ctimeMs > keepEntries) await discard(path)
  }

  /** Creates the directories one after another, so that each gets its mode whatever the umask is. */
  async #makeDirectories(dir: string): Promise<void> {
    for (const path of [this.#names.dir, this.#names.owners, dir]) await makeDirectory(path)
    if (!this.#writeOptions.sync) return
    await syncDirectory(this.#names.dir)
    await syncDirectory(this.#names.owners)
  }
}

/** Ignores that another process has added an entry, or has removed the directory. */
function ignoreFull(error: unknown): void {
  if (!hasCode(error, 'ENOTEMPTY', 'EEXIST', 'ENOENT', 'ENOTDIR')) throw error
}
