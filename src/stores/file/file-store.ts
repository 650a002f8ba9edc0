import { resolve } from 'node:path'
import { assertKnown, assertOption, isCount, isPositive } from '../check.js'
import { conflictError, storeError } from '../errors.js'
import { emit } from '../events.js'
import { atRevision, writeRecord } from '../record.js'
import { defaultScope, type SessionRecord, type SessionStore, type StoreScope } from '../store.js'
import { Calls } from './calls.js'
import { claimsOrLocks } from './file/auto.js'
import { createClaims } from './file/claims.js'
import { hintFor } from './file/hints.js'
import { createDeadlines } from './file/deadlines.js'
import { createFolder } from './file/folder.js'
import { createLocks } from './file/lockfile.js'
import { assertId, namesOf } from './file/names.js'
import { createQueue } from './file/queue.js'
import type { Stamp } from './file/stamp.js'
import { createSweep } from './file/sweep.js'
import { createUpdates, longestTry } from './file/updates.js'
import { createUpkeep } from './file/upkeep.js'

export interface FileStoreOptions {
  /** The directory, resolved when the store is made. Made with mode 0700 when it is missing. @default 'sessions' */
  dir?: string | undefined
  /**
   * The most sessions that are kept. Over it, in the background, expired ones go first, then those whose deadline is
   * nearest, down to 90 %. `0`: no limit. @default 10_000
   */
  threshold?: number | undefined
  /** The mode of the files, whatever the umask; a string is octal: `'600'`, `'0o600'`. @default 0o600 */
  mode?: number | string | undefined
  /** How often expired sessions are looked for, in milliseconds. @default 900_000 (15 minutes) */
  sweepEvery?: number | undefined
  /**
   * What an acknowledged write outlasts: `'process'` the death of the process, `'power'` that of the machine, at the price
   * of waiting for the disk. @default 'process'
   */
  durability?: 'process' | 'power' | undefined
  /**
   * How processes that share the directory keep out of each other's way: `'auto'` by hard links, or by lock files where the
   * file system has none; `'lockfile'` always by lock files. All processes must use the same. @default 'auto'
   */
  locking?: 'auto' | 'lockfile' | undefined
}

const known: readonly (keyof FileStoreOptions)[] = ['dir', 'threshold', 'mode', 'sweepEvery', 'durability', 'locking']

/**
 * Keeps sessions in a directory, one JSON file each, which any number of processes of one machine may share.
 *
 * @example
 * app.use(session({ store: fileStore({ dir: 'var/sessions', threshold: 5000 }) }))
 */
export function fileStore(options: FileStoreOptions = {}): SessionStore {
  const { dir, threshold, mode, sweepEvery, durability, locking } = checked(options)
  const writing = { mode, sync: durability === 'power' }
  const ends: (() => Promise<void>)[] = []
  const calls = new Calls('file')
  let closing: Promise<void> | undefined

  /** Counts what is under way for `close()`, and gives failures of the file system their form. */
  async function during<T>(action: string, work: () => Promise<T>): Promise<T> {
    calls.begin()
    try {
      return await work()
    } catch (error) {
      throw isSystemError(error) ? storeError(action + hintFor(error, dir), error) : error
    } finally {
      calls.end()
    }
  }

  async function close(): Promise<void> {
    await calls.close()
    await Promise.all(ends.map((end) => end()))
  }

  function scope({ prefix, now }: StoreScope): SessionStore {
    const names = namesOf(dir, prefix)
    const folder = createFolder(names, writing)
    const locks = createLocks(names, writing)
    const swap = locking === 'lockfile' ? locks : claimsOrLocks(names, createClaims(names, writing), locks)
    const deadlines = createDeadlines()
    const queue = createQueue(createUpdates({ folder, swap, deadlines, now, ifLive }))
    const sweep = createSweep({ folder, swap, queue, deadlines, now, stopped: () => calls.closed })
    const upkeep = createUpkeep({ names, sweep, threshold, sweepEvery, failed: tell })
    ends.push(async () => {
      await upkeep.stop()
      await swap.close()
    })

    function call<T>(action: string, id: string, work: () => Promise<T>): Promise<T> {
      return during(action, () => {
        assertId(id)
        upkeep.start()
        return work()
      })
    }

    function ifLive(record: SessionRecord | undefined): SessionRecord | undefined {
      if (!record || record.expires > now()) return record
      emit({ type: 'expire', id: record.id })
      return undefined
    }

    async function create(id: string, text: string, stamp: Stamp): Promise<boolean> {
      for (let tries = 1; !(await folder.add(id, text, stamp)); tries++) {
        const there = await folder.read(id)
        if (there && ifLive(there)) return false
        // What is in the way is expired, or was moved aside, unless that is not allowed.
        if (there) await swap.remove(id, there)
        if (tries === 5) throw conflictError(tries)
      }
      folder.wrote(id, text, stamp)
      if (threshold > 0) deadlines.set(id, stamp.expires)
      upkeep.created()
      return true
    }

    async function destroy(id: string): Promise<SessionRecord | undefined> {
      const end = performance.now() + longestTry
      let current = ifLive(await folder.read(id))
      for (let tries = 1; current; tries++) {
        if (await swap.remove(id, current)) {
          deadlines.forget(id)
          return current
        }
        if (performance.now() > end) throw conflictError(tries)
        current = ifLive(await folder.read(id))
      }
      return undefined
    }

    return {
      read: (id) => call('read a session', id, async () => ifLive(await folder.read(id))),
      create(id, record) {
        return call('create a session', id, () => {
          const written = atRevision(1, record)
          const text = writeRecord(written)
          const stamp: Stamp = { rev: 1, expires: written.expires }
          return queue.run(id, () => create(id, text, stamp))
        })
      },
      update: (id, recipe, seen) => call('save a session', id, () => queue.update(id, recipe, seen)),
      destroy: (id) =>
        call('remove a session', id, () =>
          queue.run(id, (turn) => {
            turn.last = undefined
            return destroy(id)
          })
        ),
      async *records() {
        calls.assertOpen()
        for await (const id of sweep.ids()) {
          const record = await during('list the sessions', async () => ifLive(await folder.read(id)))
          if (record) yield record
        }
        // Closed meanwhile, the listing ended early: not to be taken for the whole.
        calls.assertOpen()
      },
      prune: () => during('remove expired sessions', () => sweep.prune()),
      close: () => (closing ??= close()),
      scope
    }
  }

  return scope(defaultScope)
}

function checked(options: FileStoreOptions): Required<{ [Name in keyof FileStoreOptions]: NonNullable<FileStoreOptions[Name]> }> & { mode: number } {
  const where = 'fileStore(options)'
  assertKnown(where, options, known)
  const { dir = 'sessions', threshold = 10_000, mode = 0o600, sweepEvery = 900_000, durability = 'process', locking = 'auto' } = options
  assertOption(where, 'dir', dir, typeof dir === 'string' && dir !== '' && !dir.includes('\0'), 'the path of a directory')
  assertOption(where, 'threshold', threshold, isCount(threshold), 'a whole number (0 = no limit)')
  assertOption(where, 'sweepEvery', sweepEvery, isPositive(sweepEvery), 'a number of milliseconds above 0')
  assertOption(where, 'durability', durability, durability === 'process' || durability === 'power', "'process' or 'power'")
  assertOption(where, 'locking', locking, locking === 'auto' || locking === 'lockfile', "'auto' or 'lockfile'")
  const bits = modeBits(mode)
  assertOption(where, 'mode', mode, bits !== undefined, "0o400 to 0o777 with the owner's right to read, or octal digits such as '600'")
  return { dir: resolve(dir), threshold, mode: bits!, sweepEvery, durability, locking }
}

function modeBits(mode: unknown): number | undefined {
  const bits = typeof mode === 'string' && /^(0o?)?[0-7]{3}$/.test(mode) ? Number.parseInt(mode.replace(/^0o?/, ''), 8) : mode
  // 600 without the 0o is more than 0o777; a file that its owner cannot read is of no use.
  return isCount(bits) && bits <= 0o777 && (bits & 0o400) !== 0 ? bits : undefined
}

/** Of what goes on in the background, where nobody waits for it. */
function tell(error: unknown): void {
  emit({ type: 'store-error', id: undefined, error })
}

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error
}
