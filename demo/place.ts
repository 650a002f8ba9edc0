import { stat } from 'node:fs/promises'
import { relative, sep } from 'node:path'
import { fileStore, type SessionStore } from '../src/index.js'
import { namesOf } from '../src/stores/file/names.js'
import type { Config, FilePlace } from './config.js'

/** Where sessions are kept: the store, and what the demo tells about it. */
export interface Place {
  /** As `session()` takes it. */
  base: SessionStore
  /** As `session()` uses it: with the key prefix. */
  store: SessionStore
  /** In words, for the line at the start and for the pages. */
  words: string
  /** Facts about where the record of that id is kept. */
  describe(id: string): Promise<Fact[]>
  close(): Promise<void>
}

export type Fact = readonly [term: string, fact: string]

export async function openPlace({ place, prefix }: Pick<Config, 'place' | 'prefix'>): Promise<Place> {
  if (place.type === 'files') return filePlace(place, prefix)
  // Imported when it is wanted: the demo with files needs no driver.
  const { redisPlace } = await import('./redis-place.js')
  return redisPlace(place, prefix)
}

function filePlace({ dir, threshold, mode }: FilePlace, prefix: string): Place {
  const base = fileStore({ dir, threshold, mode })
  const names = namesOf(dir, prefix)
  return {
    base,
    store: base.scope!({ prefix, now: Date.now }),
    words: `the directory ${shortest(dir)}`,
    async describe(id) {
      const path = names.record(id)
      const file = await stat(path).catch(() => undefined)
      const facts: Fact[] = [['File', shortest(path)]]
      if (file) facts.push(['Mode', (file.mode & 0o777).toString(8).padStart(4, '0')], ['Size', `${file.size} bytes`])
      return facts
    },
    close: async () => base.close?.()
  }
}

/** As seen from where the demo was started, if it lies there. */
function shortest(path: string): string {
  const seen = relative(process.cwd(), path)
  return seen === '' || seen.startsWith(`..${sep}`) || seen === '..' ? path : seen
}
