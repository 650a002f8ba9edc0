import { setImmediate } from 'node:timers/promises'
import { assertKnown, assertOption, isCount, isPositive } from '../../checks.js'
import { longestDelay } from '../../delays.js'
import { conflictError } from '../../errors.js'
import { emit } from '../../events.js'
import { createWriter, type SessionRecord } from '../../record/index.js'
import { assertId, defaultScope, isGone, isListed, isLive, markChecked, OpenCalls, type SessionStore, type StoreScope } from '../../store/index.js'
import { createOrder, type Linked } from './order.js'

export interface MemoryStoreOptions {
  /**
   * The maximum number of sessions. Over it, sessions are removed: expired ones first, then sessions without an owner, then owned
   * ones; within a class, the one that was written longest ago. `0`: no limit. @default 100_000
   */
  maxSessions?: number | undefined
  /** How often expired sessions are removed, in milliseconds. @default 60_000 */
  sweepEvery?: number | undefined
}

interface Entry extends Linked {
  readonly record: SessionRecord
  /** The entries of the same scope, and its clock. */
  readonly entries: Entries
  readonly now: () => number
}

/** The entries of one scope, by id and by owner. */
interface Entries extends Map<string, Entry> {
  readonly byOwner: Map<string, Set<Entry>>
}

/** How often a recipe runs that itself changes the record that it is given. */
const mostTries = 10

/** How many entries are looked at without giving others a turn, which takes well under a millisecond. */
const pageSize = 1000

/**
 * Keeps sessions in this process: for tests, and for one server that may forget its sessions when it restarts.
 *
 * It keeps the records themselves and answers without promises, because records are immutable.
 */
export function memoryStore(options: MemoryStoreOptions = {}): SessionStore {
  const where = 'memoryStore(options)'
  assertKnown(where, options, ['maxSessions', 'sweepEvery'])
  const { maxSessions = 100_000, sweepEvery = 60_000 } = options
  assertOption(where, 'maxSessions', maxSessions, isCount(maxSessions), 'a whole number (0 = no limit)')
  assertOption(where, 'sweepEvery', sweepEvery, isPositive(sweepEvery), 'a number of milliseconds above 0')

  const calls = new OpenCalls('memory')
  /** By prefix, then by id: this costs less than to join the two for each call. */
  const entriesOf = new Map<string, Entries>()
  /** All entries, in the order in which they were written. */
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

  /** Leaves the entry in the map: one that is put in its stead keeps its position there, so that a listing neither misses nor repeats it. */
  function unlink(entry: Entry): void {
    const { record, entries } = entry
    orderOf(entry).remove(entry)
    if (record.owner === undefined) return
    const all = entries.byOwner.get(record.owner)!
    all.delete(entry)
    if (all.size === 0) entries.byOwner.delete(record.owner)
  }

  function makeRoom(): void {
    if (maxSessions === 0 || anonymous.size + owned.size < maxSessions) return
    const oldest = [anonymous.first, owned.first]
    const next = oldest.find((entry) => entry && !isWorthKeeping(entry)) ?? anonymous.first ?? owned.first
    if (!next) return
    remove(next)
    emit({ type: isWorthKeeping(next) ? 'evict' : 'expire', id: next.record.id })
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
    // A sweep that takes longer than the interval must not have another one beside it.
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
      return emit({ type: 'expire', id })
    }

    const store: SessionStore = {
      read(id) {
        const record = find(id)?.record
        if (!record || isLive(record, now())) return record
        return emit({ type: 'expire', id })
      },
      create(id, record) {
        if (find(id)) return false
        makeRoom()
        add({ record: record.rev === 1 ? record : { ...record, rev: 1 }, entries, now })
        timer ??= setInterval(() => void sweep(), Math.min(sweepEvery, longestDelay)).unref()
        return true
      },
      update(id, recipe) {
        for (let tries = 0; tries < mostTries; tries++) {
          const entry = find(id)
          if (!entry) return undefined
          const { rev, write } = entry.record
          const made = recipe(entry.record)
          // A recipe may call the store, which answers before the recipe returns.
          if (entries.get(id) !== entry) continue
          if (made === null) {
            remove(entry)
            return null
          }
          unlink(entry)
          const record = { ...made, rev: rev + 1, write: writer.next(write) }
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
        // A listing that `close()` cut short must not be taken for the whole.
        calls.assertOpen()
      },
      async *ownedBy(owner) {
        calls.assertOpen()
        // Copied: the caller may end sessions while it lists them.
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
        for (const each of entriesOf.values()) for (const entry of each.values()) remove(entry)
      },
      scope: inScope
    }
    markChecked(store)
    return store
  }

  return inScope(defaultScope)
}

/** As many entries as there are at the beginning, so that a caller that creates one for each listed entry comes to an end. */
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

/** Whether a session would be missed: a marker, or a session that cannot be opened any more, would not. */
function isWorthKeeping({ record, now }: Entry): boolean {
  return isLive(record, now()) && !record.moved
}
