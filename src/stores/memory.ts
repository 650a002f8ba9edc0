import { assertKnown, assertOption, isCount, isPositive } from '../check.js'
import { longestDelay } from '../delays.js'
import { conflictError, SessionError } from '../errors.js'
import { emit } from '../events.js'
import { atRevision, readLive, writeRecord } from '../record.js'
import { defaultScope, type SessionRecord, type SessionStore, type StoreScope } from '../store.js'

export interface MemoryStoreOptions {
  /** The most sessions that are kept; over it, the one that was written longest ago goes. `0`: no limit. @default 100_000 */
  maxSessions?: number | undefined
  /** How often expired sessions are looked for, in milliseconds. @default 60_000 */
  sweepEvery?: number | undefined
}

/** What is kept: the text, so that nobody holds a reference into the store, and the deadline, so that a sweep need not parse. */
interface Entry {
  readonly id: string
  readonly rev: number
  readonly text: string
  readonly expires: number
  /** How many writes there were before it. */
  readonly written: number
  readonly scope: StoreScope
}

/** How often a recipe is run that itself changes the very record that it is given. */
const maxTries = 10

/** Keeps sessions in this process: for tests, and for one server that may forget its sessions when it restarts. */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  const where = 'memoryStore(options)'
  assertKnown(where, options, ['maxSessions', 'sweepEvery'])
  const { maxSessions = 100_000, sweepEvery = 60_000 } = options
  assertOption(where, 'maxSessions', maxSessions, isCount(maxSessions), 'a whole number (0 = no limit)')
  assertOption(where, 'sweepEvery', sweepEvery, isPositive(sweepEvery), 'a number of milliseconds above 0')

  // By prefix and id, which costs less than to put the two together for each call. In the order of writing: a rewritten
  // entry is put at the end.
  const entriesOf = new Map<string, Map<string, Entry>>()
  let writes = 0
  let sweep: NodeJS.Timeout | undefined
  let closed = false

  function assertOpen(): void {
    if (closed) throw new SessionError('ERR_SESSION_STORE', 'the memory store is closed: make a new one to go on')
  }

  function makeRoom(): void {
    if (maxSessions === 0) return
    let count = 0
    let oldest: Entry | undefined
    for (const entries of entriesOf.values()) {
      count += entries.size
      const [first] = entries.values()
      if (first && !(oldest && oldest.written < first.written)) oldest = first
    }
    if (!oldest || count < maxSessions) return
    const { id, expires, scope } = oldest
    entriesOf.get(scope.prefix)!.delete(id)
    emit({ type: expires > scope.now() ? 'evict' : 'expire', id })
  }

  /** Removes the expired entries, each by its own clock. */
  function prune(entries: Map<string, Entry>): number {
    let count = 0
    for (const [id, { expires, scope }] of entries) if (expires <= scope.now() && entries.delete(id)) count++
    return count
  }

  function inScope(scope: StoreScope): SessionStore {
    const { prefix, now } = scope
    const entries = entriesOf.get(prefix) ?? new Map<string, Entry>()
    entriesOf.set(prefix, entries)

    function find(id: string): SessionRecord | undefined {
      assertOpen()
      const entry = entries.get(id)
      if (!entry) return undefined
      const record = readLive(entry.text, id, now())
      if (!record) entries.delete(id)
      return record
    }

    /** Whether the record need not be parsed again. */
    function isNewest(id: string, seen: SessionRecord | undefined): seen is SessionRecord {
      return seen !== undefined && seen.id === id && seen.expires > now() && entries.get(id)?.rev === seen.rev
    }

    function write(id: string, record: SessionRecord): void {
      entries.delete(id)
      entries.set(id, { id, rev: record.rev, text: writeRecord(record), expires: record.expires, written: writes++, scope })
    }

    return {
      async read(id) {
        return find(id)
      },
      async create(id, record) {
        if (find(id)) return false
        makeRoom()
        write(id, atRevision(1, record))
        sweep ??= setInterval(() => entriesOf.forEach(prune), Math.min(sweepEvery, longestDelay)).unref()
        return true
      },
      async update(id, recipe, seen) {
        for (let tries = 0; tries < maxTries; tries++) {
          const current = isNewest(id, seen) ? seen : find(id)
          if (!current) return undefined
          const entry = entries.get(id)
          const { rev } = current
          const next = recipe(current)
          // A recipe may call the store, and this one is done before such a call returns.
          if (entries.get(id) !== entry) continue
          if (next === null) {
            entries.delete(id)
            return null
          }
          const written = atRevision(rev + 1, next)
          write(id, written)
          return written
        }
        throw conflictError(maxTries)
      },
      async destroy(id) {
        const last = find(id)
        entries.delete(id)
        return last
      },
      async *records() {
        assertOpen()
        // A copy, as what the caller rewrites meanwhile goes to the end, and would be listed without end.
        const ids = [...entries.keys()]
        for (const id of ids) {
          const record = find(id)
          if (record) yield record
        }
      },
      async prune() {
        assertOpen()
        return prune(entries)
      },
      async close() {
        closed = true
        clearInterval(sweep)
        for (const each of entriesOf.values()) each.clear()
      },
      scope: inScope
    }
  }

  return inScope(defaultScope)
}
