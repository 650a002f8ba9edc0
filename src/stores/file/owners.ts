import { randomUUID } from 'node:crypto'
import { discard, writeNew, type Writing } from './io.js'
import type { Names } from './names.js'

/**
 * Who makes a claim: a small file that holds its own name. A claim is a hard link to it, so whoever reads the claim
 * learns the name of the temporary file; and making a link was measured to cost half of what a symbolic link does, which
 * needs an inode of its own.
 */
export interface Owner {
  readonly unique: string
  readonly path: string
}

/** The owners that one process has, one after another. */
export interface Owners {
  /**
   * An owner that never tried this step before, so that the name of its temporary file was never in use.
   */
  take(id: string, rev: number): Promise<Owner>
  /** To be told when what it was taken for is over. */
  release(owner: Owner): void
  /** To be told when its file is not there any more. */
  lost(owner: Owner): void
  close(): Promise<void>
}

interface Entry extends Owner {
  /** The steps that it was taken for. */
  tried: Set<string>
  active: number
  retired: boolean
}

// So that what is remembered stays small: the cost of a new file is shared by as many updates.
const mostSteps = 4096

export function createOwners(names: Names, writing: Writing): Owners {
  const entries = new Map<Owner, Entry>()
  let current: Entry | undefined
  let coming: Promise<Entry> | undefined

  async function make(): Promise<Entry> {
    try {
      const unique = randomUUID()
      const path = names.owner(unique)
      await writeNew(path, unique, undefined, writing)
      current = { unique, path, tried: new Set(), active: 0, retired: false }
      entries.set(current, current)
      return current
    } finally {
      coming = undefined
    }
  }

  async function retire(entry: Entry): Promise<void> {
    entry.retired = true
    if (current === entry) current = undefined
    // Claims that are links to it stay what they are.
    if (entry.active === 0 && entries.delete(entry)) await discard(entry.path)
  }

  return {
    async take(id, rev) {
      const step = `${id}${rev}`
      for (;;) {
        const entry = current ?? (await (coming ??= make()))
        if (!entry.retired && entry.tried.size < mostSteps && !entry.tried.has(step)) {
          entry.tried.add(step)
          entry.active++
          return entry
        }
        void retire(entry)
      }
    },
    release(owner) {
      const entry = entries.get(owner)
      if (entry && --entry.active === 0 && entry.retired) void retire(entry)
    },
    lost(owner) {
      const entry = entries.get(owner)
      if (entry) void retire(entry)
    },
    async close() {
      await Promise.all([...entries.values()].map(retire))
    }
  }
}
