import { assertKnown, assertOption, isCount, isPositive } from '../check.js'
import { SessionError } from '../errors.js'
import { emit } from '../events.js'
import { readLive, writeRecord } from '../record.js'
import { defaultScope, type SessionRecord, type SessionStore, type StoreScope } from '../store.js'

export interface MemoryStoreOptions {
  /** The most sessions that are kept; over it, the one that was written longest ago goes. `0`: no limit. @default 100_000 */
  maxSessions?: number | undefined
  /** How often expired sessions are looked for, in milliseconds. @default 60_000 */
  sweepEvery?: number | undefined
}

/** What is kept: the text, so that nobody holds a reference into the store, and the deadline, so that a sweep need not parse. */
interface Entry {
  text: string
  expires: number
}

/** The longest delay that a timer can have: 2^31-1 ms. */
const longestDelay = 2_147_483_647

/** Keeps sessions in this process: for tests, and for one server that may forget its sessions when it restarts. */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  const where = 'memoryStore(options)'
  assertKnown(where, options, ['maxSessions', 'sweepEvery'])
  const { maxSessions = 100_000, sweepEvery = 60_000 } = options
  assertOption(where, 'maxSessions', maxSessions, isCount(maxSessions), 'a whole number (0 = no limit)')
  assertOption(where, 'sweepEvery', sweepEvery, isPositive(sweepEvery), 'a number of milliseconds above 0')

  // In the order of writing: a rewritten entry is put at the end.
  const entries = new Map<string, Entry>()
  let sweep: NodeJS.Timeout | undefined
  let closed = false

  function scope({ prefix, now }: StoreScope): SessionStore {
    function find(id: string): SessionRecord | undefined {
      if (closed) throw new SessionError('ERR_SESSION_STORE', 'the memory store is closed: make a new one to go on')
      const entry = entries.get(prefix + id)
      if (!entry) return undefined
      const record = readLive(entry.text, id, now())
      if (!record) entries.delete(prefix + id)
      return record
    }

    function write(id: string, record: SessionRecord): void {
      entries.delete(prefix + id)
      entries.set(prefix + id, { text: writeRecord(record), expires: record.expires })
    }

    function prune(): number {
      const time = now()
      let count = 0
      for (const [key, { expires }] of entries) {
        if (expires <= time && entries.delete(key)) count++
      }
      return count
    }

    function makeRoom(): void {
      if (maxSessions === 0 || entries.size < maxSessions) return
      const oldest = entries.keys().next().value!
      entries.delete(oldest)
      emit({ type: 'evict', id: oldest.slice(-64) })
    }

    return {
      async read(id) {
        return find(id)
      },
      async create(id, record) {
        if (find(id)) return false
        makeRoom()
        write(id, { ...record, rev: 1 })
        sweep ??= setInterval(prune, Math.min(sweepEvery, longestDelay)).unref()
        return true
      },
      async update(id, recipe) {
        const current = find(id)
        if (!current) return undefined
        const next = recipe(current)
        if (next === null) {
          entries.delete(prefix + id)
          return null
        }
        const written = { ...next, rev: current.rev + 1 }
        write(id, written)
        return written
      },
      async destroy(id) {
        const last = find(id)
        entries.delete(prefix + id)
        return last
      },
      async *records() {
        for (const key of entries.keys()) {
          if (!key.startsWith(prefix)) continue
          const record = find(key.slice(prefix.length))
          if (record) yield record
        }
      },
      async prune() {
        return prune()
      },
      async close() {
        closed = true
        clearInterval(sweep)
        entries.clear()
      },
      scope
    }
  }

  return scope(defaultScope)
}
