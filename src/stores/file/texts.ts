import type { Stats } from 'node:fs'
import { RecentMap } from '../../recent-map.js'
import { isStamped, type Stamp } from './stamp.js'

/** Remembers the texts of records that were read or written last, so that one `lstat` stands for a read. */
export interface Texts {
  /** The text of the state that the file holds by its times and size; `undefined`: it has to be read. */
  recall(id: string, stats: Stats | undefined): string | undefined
  /** Whether it is worth a look at the file. */
  has(id: string): boolean
  remember(id: string, text: string, stamp: Stamp): void
  /** The file holds what is remembered, and its times did not say so. */
  missed(): void
  forget(id: string): void
  /** The revision that is remembered, 0 for none. */
  knownRev(id: string): number
}

interface Known extends Stamp {
  readonly text: string
  readonly size: number
}

// At most 16 Mi characters for each prefix of a directory.
const mostTexts = 2000
const largestText = 8192

// Where times are not kept as they are set (mounted with strictatime, say) a look at them is a waste.
const mostMisses = 50

export function createTexts(): Texts {
  const texts = new RecentMap<Known>(mostTexts)
  let misses = 0

  return {
    has: (id) => misses < mostMisses && texts.has(id),
    recall(id, stats) {
      const known = texts.get(id)
      return known && stats?.size === known.size && isStamped(stats, known) ? known.text : undefined
    },
    remember(id, text, { rev, expires }) {
      if (text.length > largestText) texts.delete(id)
      else texts.set(id, { text, rev, expires, size: Buffer.byteLength(text) })
    },
    missed: () => void misses++,
    forget: (id) => texts.delete(id),
    knownRev: (id) => texts.get(id)?.rev ?? 0
  }
}
