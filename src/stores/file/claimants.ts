import { randomUUID } from 'node:crypto'
import type { FileNames } from './file-names.js'
import { stateName, type FileTimes } from './file-times.js'
import { discard, writeNew, type Writing } from './fs-calls.js'

/**
 * Who makes a claim: a small file that holds its own name. A claim is a hard link to it, so a process that reads the claim learns the name
 * of the temporary file. To make a link costs half of what a symbolic link does, which needs an inode of its own.
 */
export interface Claimant {
  readonly unique: string
  readonly path: string
}

interface Entry extends Claimant {
  /** The steps for which it was taken. */
  readonly tried: Set<string>
  active: number
  isRetired: boolean
}

/** A claimant takes so many steps. This bounds what is remembered, and so many updates share the cost of its file. */
const mostSteps = 4096

/** The claimants of one store, one after another. */
export class Claimants {
  readonly #names: FileNames
  readonly #writing: Writing
  readonly #entries = new Map<Claimant, Entry>()
  #current: Entry | undefined
  #coming: Promise<Entry> | undefined

  constructor(names: FileNames, writing: Writing) {
    this.#names = names
    this.#writing = writing
  }

  /**
   * A claimant that never tried the step from this state before: the name of its temporary file was then never in use.
   * Rejects with `ENOENT` when the directory is missing. Call `release` when the step is over.
   */
  async take(id: string, from: FileTimes): Promise<Claimant> {
    const step = `${id}${stateName(from)}`
    for (;;) {
      const entry = this.#current ?? (await (this.#coming ??= this.#make()))
      if (!entry.isRetired && entry.tried.size < mostSteps && !entry.tried.has(step)) {
        entry.tried.add(step)
        entry.active++
        return entry
      }
      void this.#retire(entry)
    }
  }

  release(claimant: Claimant): void {
    const entry = this.#entries.get(claimant)
    if (entry && --entry.active === 0 && entry.isRetired) void this.#retire(entry)
  }

  /** Takes no further steps with a claimant whose file cannot be linked to any more. */
  abandon(claimant: Claimant): void {
    const entry = this.#entries.get(claimant)
    if (entry) void this.#retire(entry)
  }

  async close(): Promise<void> {
    await Promise.all([...this.#entries.values()].map((entry) => this.#retire(entry)))
  }

  async #make(): Promise<Entry> {
    try {
      const unique = randomUUID()
      const path = this.#names.claimant(unique)
      await writeNew(path, unique, undefined, this.#writing)
      this.#current = { unique, path, tried: new Set(), active: 0, isRetired: false }
      this.#entries.set(this.#current, this.#current)
      return this.#current
    } finally {
      this.#coming = undefined
    }
  }

  async #retire(entry: Entry): Promise<void> {
    entry.isRetired = true
    if (this.#current === entry) this.#current = undefined
    // Claims that are links to its file stay as they are.
    if (entry.active === 0 && this.#entries.delete(entry)) await discard(entry.path)
  }
}
