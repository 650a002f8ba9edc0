import { setImmediate } from 'node:timers/promises'
import { assertKnown, assertOption, isCount, isPositive } from '../check.js'
import { longestDelay } from '../delays.js'
import { conflictError, SessionError } from '../errors.js'
import { emit } from '../events.js'
import { atRevision, readLive, writeRecord } from '../record.js'
import { defaultScope, type SessionRecord, type SessionStore, type StoreScope } from '../store.js'
import { createOrder, type Linked } from './memory/order.js'

export interface MemoryStoreOptions {
  /** The most sessions that are kept; over it, the one that was written longest ago goes. `0`: no limit. @default 100_000 */
  maxSessions?: number | undefined
  /** How often expired sessions are looked for, in milliseconds. @default 60_000 */
  sweepEvery?: number | undefined
}

/** What is kept: the text, so that nobody holds a reference into the store, and the deadline, so that a sweep need not parse. */
interface Entry extends Linked {
  readonly id: string
  readonly rev: number
  readonly text: string
  readonly expires: number
  /** The entries of its scope, and the scope's clock. */
  readonly entries: Entries
  readonly now: () => number
}

type Entries = Map<string, Entry>

/** How often a recipe is run that itself changes the very record that it is given. */
const maxTries = 10

// What takes well under a millisecond to look through: a million at once would hold the event loop.
const pageSize = 1000

/** Keeps sessions in this process: for tests, and for one server that may forget its sessions when it restarts. */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  const where = 'memoryStore(options)'
  assertKnown(where, options, ['maxSessions', 'sweepEvery'])
  const { maxSessions = 100_000, sweepEvery = 60_000 } = options
  assertOption(where, 'maxSessions', maxSessions, isCount(maxSessions), 'a whole number (0 = no limit)')
  assertOption(where, 'sweepEvery', sweepEvery, isPositive(sweepEvery), 'a number of milliseconds above 0')

  // By prefix and id, which costs less than to put the two together for each call.
  const entriesOf = new Map<string, Entries>()
  /** All of them, by when they were written last. */
  let order = createOrder<Entry>()
  let sweep: NodeJS.Timeout | undefined
  let sweeping = false
  let closed = false

  function assertOpen(): void {
    if (closed) throw new SessionError('ERR_SESSION_STORE', 'the memory store is closed: make a new one to go on')
  }

  function remove(entry: Entry): void {
    entry.entries.delete(entry.id)
    order.remove(entry)
  }

  function makeRoom(): void {
    const oldest = order.first
    if (!oldest || maxSessions === 0 || order.size < maxSessions) return
    remove(oldest)
    emit({ type: isLive(oldest) ? 'evict' : 'expire', id: oldest.id })
  }

  /** Removes the expired entries, each by its own clock. */
  async function prune(entries: Entries): Promise<number> {
    let removed = 0
    for await (const page of pages(entries)) {
      for (const entry of page) {
        if (isLive(entry) || entries.get(entry.id) !== entry) continue
        remove(entry)
        removed++
      }
    }
    return removed
  }

  async function pruneAll(): Promise<void> {
    // One that takes longer than the interval must not have others beside it.
    if (sweeping) return
    sweeping = true
    try {
      for (const entries of entriesOf.values()) await prune(entries)
    } catch (error) {
      emit({ type: 'store-error', id: undefined, error })
    } finally {
      sweeping = false
    }
  }

  function inScope(scope: StoreScope): SessionStore {
    const { prefix, now } = scope
    const entries: Entries = entriesOf.get(prefix) ?? new Map<string, Entry>()
    entriesOf.set(prefix, entries)

    function find(id: string): SessionRecord | undefined {
      assertOpen()
      const entry = entries.get(id)
      if (!entry) return undefined
      const record = readLive(entry.text, id, now())
      if (!record) remove(entry)
      return record
    }

    /** Whether the record need not be parsed again. */
    function isNewest(id: string, seen: SessionRecord | undefined): seen is SessionRecord {
      return seen !== undefined && seen.id === id && seen.expires > now() && entries.get(id)?.rev === seen.rev
    }

    /** At the end of the order, also where there was one. */
    function write(id: string, record: SessionRecord): void {
      const replaced = entries.get(id)
      if (replaced) order.remove(replaced)
      const entry: Entry = { id, rev: record.rev, text: writeRecord(record), expires: record.expires, entries, now }
      order.append(entry)
      entries.set(id, entry)
    }

    return {
      async read(id) {
        return find(id)
      },
      async create(id, record) {
        if (find(id)) return false
        makeRoom()
        write(id, atRevision(1, record))
        sweep ??= setInterval(() => void pruneAll(), Math.min(sweepEvery, longestDelay)).unref()
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
            remove(entry!)
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
        if (last) remove(entries.get(id)!)
        return last
      },
      async *records() {
        assertOpen()
        for await (const page of pages(entries)) {
          for (const { id } of page) {
            const record = find(id)
            if (record) yield record
          }
        }
        // Closed meanwhile, the listing ended early: not to be taken for the whole.
        assertOpen()
      },
      async prune() {
        assertOpen()
        return prune(entries)
      },
      async close() {
        closed = true
        clearInterval(sweep)
        for (const each of entriesOf.values()) each.clear()
        order = createOrder()
      },
      scope: inScope
    }
  }

  return inScope(defaultScope)
}

/** As many entries as there are at the beginning, so that who makes one for each that is listed comes to an end. */
async function* pages(entries: Entries): AsyncGenerator<Entry[]> {
  let left = entries.size
  let page: Entry[] = []
  for (const entry of entries.values()) {
    if (left-- === 0) break
    page.push(entry)
    if (page.length < pageSize) continue
    yield page
    page = []
    await setImmediate()
  }
  yield page
}

function isLive({ expires, now }: Entry): boolean {
  return expires > now()
}
