import type { SessionStore } from '../../src/index.js'
import { createStore } from '../../src/store/index.js'
import type { Texts } from './texts.js'

/** koa-session asks a store for these three calls: it reads a session and writes it back whole. */
export interface KoaSessionStore {
  get(key: string): Promise<unknown>
  set(key: string, session: unknown): Promise<void>
  destroy(key: string): Promise<void>
}

export function koaSessionStore(texts: Texts): KoaSessionStore {
  return {
    get: async (key) => JSON.parse((await texts.get(key)) ?? 'null') as unknown,
    set: (key, session) => texts.set(key, JSON.stringify(session)),
    destroy: (key) => texts.delete(key)
  }
}

/** koa-keepsake asks for a compare-and-swap instead of the plain write, which Redis, files and databases have as well. */
export function keepsakeStore(texts: Texts): SessionStore {
  return createStore({
    name: 'race',
    backend: ({ prefix }) => ({
      sendsOnce: true,
      async get(id) {
        const text = await texts.get(prefix + id)
        return text === undefined ? undefined : { text }
      },
      insert: async (id, { text }) => (await texts.swap(prefix + id, (stored) => stored === undefined, text)) === 'done',
      replace: (id, from, { text }) => texts.swap(prefix + id, isStill(from), text),
      remove: (id, from) => texts.swap(prefix + id, isStill(from), undefined)
    })
  })
}

/** Which state of a session is stored: no two have the same. */
interface Version {
  rev: number
  write: string
}

function isStill({ record }: { record: Version }): (stored: string | undefined) => boolean {
  return (stored) => {
    if (stored === undefined) return false
    const { rev, write } = JSON.parse(stored) as Version
    return rev === record.rev && write === record.write
  }
}
