import { setImmediate } from 'node:timers/promises'
import { emit } from '../../events.js'
import type { SessionRecord } from '../../record/index.js'
import { isGone, isLive } from '../../store/index.js'
import { createOrder, type Linked, type Order } from './order.js'

/** A record in memory. */
export interface Entry extends Linked {
  readonly record: SessionRecord
  /** The entries and the clock of its scope. */
  readonly entries: Entries
  readonly now: () => number
}

/** The entries of one prefix, by id and by owner. */
export interface Entries extends Map<string, Entry> {
  readonly byOwner: Map<string, Set<Entry>>
}

/** How many entries a listing visits before it lets other work run. A page takes well under a millisecond. */
const pageSize = 1000

/** The entries of all prefixes of a memory store. */
export class MemoryEntries {
  readonly #maxSessions: number
  /** By prefix, then by id. Joining the two for each call would cost more. */
  readonly #byPrefix = new Map<string, Entries>()
  /** The entries without and with an owner, in the order in which they were written. */
  readonly #anonymous = createOrder<Entry>()
  readonly #owned = createOrder<Entry>()

  /** @param maxSessions `0`: no limit. */
  constructor(maxSessions: number) {
    this.#maxSessions = maxSessions
  }

  ofPrefix(prefix: string): Entries {
    let entries = this.#byPrefix.get(prefix)
    if (!entries) this.#byPrefix.set(prefix, (entries = Object.assign(new Map<string, Entry>(), { byOwner: new Map<string, Set<Entry>>() })))
    return entries
  }

  add(entry: Entry): void {
    const { record, entries } = entry
    entries.set(record.id, entry)
    this.#orderOf(entry).append(entry)
    if (record.owner === undefined) return
    const others = entries.byOwner.get(record.owner)
    if (others) others.add(entry)
    else entries.byOwner.set(record.owner, new Set([entry]))
  }

  remove(entry: Entry): void {
    entry.entries.delete(entry.record.id)
    this.unlink(entry)
  }

  /** Removes an entry from the order and from its owner's set, and leaves it in the map. A listing then neither misses nor repeats its successor. */
  unlink(entry: Entry): void {
    const { record, entries } = entry
    this.#orderOf(entry).remove(entry)
    if (record.owner === undefined) return
    const others = entries.byOwner.get(record.owner)!
    others.delete(entry)
    if (others.size === 0) entries.byOwner.delete(record.owner)
  }

  /**
   * Makes room for a new record. A visitor's session never removes that of a user who is logged in: if the store is full of users, it holds
   * one visitor more than `maxSessions`, until the next one comes.
   */
  makeRoom({ owner }: SessionRecord): void {
    if (this.#maxSessions === 0) return
    const [anonymous, owned] = [this.#anonymous, this.#owned]
    while (anonymous.size + owned.size >= this.#maxSessions) {
      const oldest = [anonymous.first, owned.first]
      const gone = oldest.find((entry) => entry && !isWorthKeeping(entry))
      const next = gone ?? anonymous.first ?? (owner === undefined ? undefined : owned.first)
      if (!next) return
      this.remove(next)
      emit({ type: gone ? 'expire' : 'evict', id: next.record.id })
    }
  }

  /** Removes the entries of one prefix that are gone, each by its own clock, and returns how many it removed. */
  async prune(entries: Entries): Promise<number> {
    let removed = 0
    for await (const page of listPages(entries)) {
      for (const entry of page) {
        if (!isGone(entry.record, entry.now()) || entries.get(entry.record.id) !== entry) continue
        this.remove(entry)
        removed++
      }
    }
    return removed
  }

  async pruneAll(): Promise<void> {
    for (const entries of this.#byPrefix.values()) await this.prune(entries)
  }

  clear(): void {
    for (const entries of this.#byPrefix.values()) for (const entry of entries.values()) this.remove(entry)
  }

  #orderOf({ record }: Entry): Order<Entry> {
    return record.owner === undefined ? this.#anonymous : this.#owned
  }
}

/** Lists entries in pages, as many as there were at the beginning: a caller that creates a session for each listed one must come to an end. */
export async function* listPages(entries: Entries): AsyncGenerator<Entry[]> {
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
