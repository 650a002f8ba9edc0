import { setImmediate } from 'node:timers/promises'
import { isCount, isPositive, OptionChecks } from '../../checks.js'
import { longestDelay } from '../../delays.js'
import { conflictError } from '../../errors.js'
import { emit } from '../../events.js'
import { createWriter, type SessionRecord } from '../../record/index.js'
import { assertId, defaultScope, isGone, isListed, isLive, markChecked, OpenCalls, type SessionStore, type StoreScope } from '../../store/index.js'
import { createOrder, type Linked } from './order.js'

export interface MemoryStoreOptions {
  /**
   * The maximum number of sessions. When it is reached, creating a session removes another one: the one that was written longest ago of those
   * without an owner, or if there is none, of the owned ones. If one of these two has expired, it is removed first. `0`: no limit.
   * @default 100_000
   */
  maxSessions?: number | undefined
  /** How often expired sessions are removed, in milliseconds. @default 60_000 */
  sweepEvery?: number | undefined
}

interface Entry extends Linked {
  readonly record: SessionRecord
  /** The entries and the clock of its scope. */
  readonly entries: Entries
  readonly now: () => number
}

/** The entries of one scope, by id and by owner. */
interface Entries extends Map<string, Entry> {
  readonly byOwner: Map<string, Set<Entry>>
}

/** How often an update runs a recipe that itself changes the record which it is given. */
const mostTries = 10

/** How many entries a listing visits before it lets other work run. A page takes well under a millisecond. */
const pageSize = 1000

/**
 * Keeps sessions in this process: for tests, and for one server that may forget its sessions when it restarts.
 *
 * It keeps the record objects themselves, because records are immutable, and returns values without promises.
 */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  const where = 'memoryStore(options)'
  const checks = new OptionChecks(where)
  checks.names(options, ['maxSessions', 'sweepEvery'])
  const { maxSessions = 100_000, sweepEvery = 60_000 } = options
  checks.option('maxSessions', maxSessions, isCount(maxSessions), 'a whole number (0 = no limit)')
  checks.option('sweepEvery', sweepEvery, isPositive(sweepEvery), 'a number of milliseconds above 0')
  checks.throwIfAny()

  const calls = new OpenCalls('memory')
  /** The entries by prefix, then by id. Joining the two for each call would cost more. */
  const entriesOf = new Map<string, Entries>()
  /** The entries of all scopes, without and with an owner, in the order in which they were written. */
  const anonymous = createOrder<Entry>()
  const owned = createOrder<Entry>()
  const writer = createWriter()
  let timer: NodeJS.Timeout | undefined
  let sweeping = false

  const orderOf = ({ record }: Entry) => (record.owner === undefined ? anonymous : owned)

  function add(entry: Entry): void {
    const { record, entries } = entry
    entries.set(record.id, entry)
    orderOf(entry).append(entry)
    if (record.owner === undefined) return
    const others = entries.byOwner.get(record.owner)
    if (others) others.add(entry)
    else entries.byOwner.set(record.owner, new Set([entry]))
  }

  function remove(entry: Entry): void {
    entry.entries.delete(entry.record.id)
    unlink(entry)
  }

  /** Removes an entry from the order and from its owner's set, and leaves it in the map. A listing then neither misses nor repeats its successor. */
  function unlink(entry: Entry): void {
    const { record, entries } = entry
    orderOf(entry).remove(entry)
    if (record.owner === undefined) return
    const all = entries.byOwner.get(record.owner)!
    all.delete(entry)
    if (all.size === 0) entries.byOwner.delete(record.owner)
  }

  /**
   * Makes room for a new record. A visitor's session never removes that of a user who is logged in: if the store is full of users, it holds
   * one visitor more than `maxSessions`, until the next one comes.
   */
  function makeRoom({ owner }: SessionRecord): void {
    if (maxSessions === 0) return
    while (anonymous.size + owned.size >= maxSessions) {
      const oldest = [anonymous.first, owned.first]
      const gone = oldest.find((entry) => entry && !isWorthKeeping(entry))
      const next = gone ?? anonymous.first ?? (owner === undefined ? undefined : owned.first)
      if (!next) return
      remove(next)
      emit({ type: gone ? 'expire' : 'evict', id: next.record.id })
    }
  }

  /** Removes the entries that are gone, each by its own clock. */
  async function prune(entries: Entries): Promise<number> {
    let removed = 0
    for await (const page of pages(entries)) {
      for (const entry of page) {
        if (!isGone(entry.record, entry.now()) || entries.get(entry.record.id) !== entry) continue
        remove(entry)
        removed++
      }
    }
    return removed
  }

  async function sweep(): Promise<void> {
    // The interval may end before the sweep has.
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
    const entries: Entries = entriesOf.get(prefix) ?? Object.assign(new Map<string, Entry>(), { byOwner: new Map<string, Set<Entry>>() })
    entriesOf.set(prefix, entries)

    /** The entry, unless it is gone. */
    function find(id: string): Entry | undefined {
      calls.assertOpen()
      const entry = entries.get(id)
      if (!entry) {
        assertId(id)
        return undefined
      }
      if (!isGone(entry.record, now())) return entry
      remove(entry)
      emit({ type: 'expire', id })
      return undefined
    }

    const store: SessionStore = {
      read(id) {
        const record = find(id)?.record
        if (!record || isLive(record, now())) return record
        emit({ type: 'expire', id })
        return undefined
      },
      create(id, record) {
        if (find(id)) return false
        makeRoom(record)
        add({ record: record.rev === 1 ? record : { ...record, rev: 1 }, entries, now })
        timer ??= setInterval(() => void sweep(), Math.min(sweepEvery, longestDelay)).unref()
        return true
      },
      update(id, recipe) {
        for (let tries = 0; tries < mostTries; tries++) {
          const entry = find(id)
          if (!entry) return undefined
          const { rev } = entry.record
          const replacement = recipe(entry.record)
          // The recipe may itself have called the store and changed the record.
          if (entries.get(id) !== entry) continue
          if (replacement === null) {
            remove(entry)
            return null
          }
          unlink(entry)
          const record = { ...replacement, rev: rev + 1, write: writer.next() }
          add({ record, entries, now })
          return record
        }
        throw conflictError(mostTries)
      },
      destroy(id) {
        const entry = find(id)
        if (entry) remove(entry)
        return entry?.record
      },
      async *records() {
        calls.assertOpen()
        for await (const page of pages(entries)) {
          for (const { record } of page) {
            const present = entries.get(record.id)?.record
            if (present && isListed(present, now())) yield present
          }
        }
        // A caller must not take a listing that `close()` cut short for a complete one.
        calls.assertOpen()
      },
      async *ownedBy(owner) {
        calls.assertOpen()
        // Copy the set: the caller may end sessions while it lists them.
        for (const { record } of Array.from(entries.byOwner.get(owner) ?? [])) {
          const present = entries.get(record.id)?.record
          if (present && isListed(present, now(), owner)) yield present
          calls.assertOpen()
        }
      },
      async prune() {
        calls.assertOpen()
        return prune(entries)
      },
      async close() {
        await calls.close()
        clearInterval(timer)
        for (const scoped of entriesOf.values()) for (const entry of scoped.values()) remove(entry)
      },
      scope: inScope
    }
    markChecked(store)
    return store
  }

  return inScope(defaultScope)
}

/** Pages of as many entries as there were at the beginning: a caller that creates a session for each listed one must come to an end. */
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

/** Reports whether a user would miss the session. Nobody misses a marker, or a session that cannot be opened any more. */
function isWorthKeeping({ record, now }: Entry): boolean {
  return isLive(record, now()) && !record.moved
}
