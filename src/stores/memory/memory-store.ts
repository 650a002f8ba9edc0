import { isCount, isPositive, OptionChecks } from '../../checks.js'
import { conflictError } from '../../errors.js'
import { emit } from '../../events.js'
import { createWriter } from '../../record/index.js'
import { assertId, defaultScope, isGone, isListed, isLive, markChecked, OpenCalls, Pruning, type SessionStore, type StoreScope } from '../../store/index.js'
import { listPages, MemoryEntries, type Entry } from './entries.js'

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

/** How often an update runs a recipe that itself changes the record which it is given. */
const mostTries = 10

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
  const allEntries = new MemoryEntries(maxSessions)
  const writer = createWriter()
  const pruning = new Pruning(sweepEvery, () => allEntries.pruneAll())

  function inScope(scope: StoreScope): SessionStore {
    const { prefix, now } = scope
    const entries = allEntries.ofPrefix(prefix)

    /** The entry, unless it is gone. */
    function find(id: string): Entry | undefined {
      calls.assertOpen()
      const entry = entries.get(id)
      if (!entry) {
        assertId(id)
        return undefined
      }
      if (!isGone(entry.record, now())) return entry
      allEntries.remove(entry)
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
        allEntries.makeRoom(record)
        allEntries.add({ record: record.rev === 1 ? record : { ...record, rev: 1 }, entries, now })
        pruning.begin()
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
            allEntries.remove(entry)
            return null
          }
          allEntries.unlink(entry)
          const record = { ...replacement, rev: rev + 1, write: writer.next() }
          allEntries.add({ record, entries, now })
          return record
        }
        throw conflictError(mostTries)
      },
      destroy(id) {
        const entry = find(id)
        if (entry) allEntries.remove(entry)
        return entry?.record
      },
      async *records() {
        calls.assertOpen()
        for await (const page of listPages(entries)) {
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
        return allEntries.prune(entries)
      },
      async close() {
        await calls.close()
        pruning.stop()
        allEntries.clear()
      },
      scope: inScope
    }
    markChecked(store)
    return store
  }

  return inScope(defaultScope)
}
