import { randomUUID } from 'node:crypto'
import { conflictError } from '../../errors.js'
import { discard, hasCode, ignore, link, pause, readText, rename, syncDirectory, unlink, writeNew, type Writing } from './io.js'
import type { Names } from './names.js'
import { createOwners } from './owners.js'
import type { Stamp } from './stamp.js'
import { isAt, revisionAt, type Swap } from './swap.js'

/*
 * The protocol: how processes that share a directory change a record one at a time, without a lock.
 *
 * To take record R from revision r to a later one, a process
 *   1. writes the new text to a temporary file T, whose name is made of id, r and the unique name of its owner (owners.ts),
 *   2. claims the step from r: it makes a hard link to its owner's file, which says that name, under a name made of id, r
 *      and a generation g (from 0). Making a link fails where there is one, so the claim C(r, g) has one owner;
 *   3. looks whether R still is at r,
 *   4. renames T to R, and
 *   5. removes C.
 * A removal claims the same name with a hard link to R itself (which needs no free block on a full disk), and its step 4
 * removes R.
 *
 * Whoever finds C taken waits a moment for its owner, and then does steps 3 to 5 in the owner's stead ("finishes" it),
 * whether the owner is dead, stopped or merely slow. What makes this safe:
 *
 *   a. R's revision never goes down, and an id is not used again once its record is gone. (Sids are random, so only who
 *      makes up ids of his own could; what is said here is not promised to him.)
 *   b. While R is at r, no claim C(r, …) is taken away. One whose T has gone (its owner gave up) with R still at r is void
 *      for good, and the next contender claims C(r, g+1). So of all claims that are made while R is at r only the last can
 *      lead to a commit, and it is never made before the one before it is void: the *claim that counts*.
 *   c. C(r, …) is removed only by somebody who saw R past r. Whoever claims it again later, however late, does so after R
 *      passed r and fails in step 3. So removing it is harmless at any time from then on.
 *   d. A commit renames T, never the claim, and T's name is used once: an owner never tries a step twice. Two who finish
 *      the same claim rename the same file: one succeeds, and the other finds it gone. (Renaming the claim itself, a name
 *      that is used again, would let a process that was stopped before its rename put a stranger's stale claim over newer
 *      data when it continues.)
 *
 * Stopped (SIGSTOP) before 2: when it continues, it claims after all that happened meanwhile, as if it were merely late.
 * Stopped between 2 and 3: others finish it; it then finds R past r and T gone, which means that it was committed. If
 *   T is still there it was not, and with its T it gives up and begins anew on the newer record.
 * Stopped between 3 and 4: its claim was made, then R was seen at r, so the claim counts. R can only have gone on through
 *   T, and the late rename finds T gone: committed. A late removal finds R gone.
 * A finisher stopped between its 3 and 4: it read which T the claim names, then saw R at r, so that claim counts; the same
 *   follows.
 * Stopped before 5: see c.
 * A removal stopped between 2 and 3 has no T to tell it that others finished it. Its claim does, which they leave to it: a
 *   link to R, made while R was at r, holds revision r.
 *
 * Killed after 1: T is swept after an hour. Killed after 2 or 3: the next process that changes the record finishes the
 * step, as soon as its wait is over; readers go on seeing revision r, which is whole. Killed after 4: committed, and C is
 * swept. So who was told of a commit can rely on it, and who was killed may or may not have committed, but never half.
 *
 * T being gone means "committed" only while nobody else removes it: the sweep does, but only after an hour, and a process
 * that took more than half of that does not claim to know (`tooLate`).
 *
 * A step that fails (no file handle left to look at R, say) is given up by removing T. A removal has no T: one that fails
 * after its claim is carried out by the next process that changes the record.
 */

// What a claim of removal says where it cannot be a link to the record.
const removal = '-'
// For the owner of a claim, which under load may take a few milliseconds to be done with it; finishing it earlier would be
// safe as well.
const patience = [1, 2, 4, 8]
const tooLate = 30 * 60_000

export function createClaims(names: Names, writing: Writing): Swap {
  const owners = createOwners(names, writing)

  /** Steps 2 to 5 of an update. Whatever comes of it, the temporary file is used up. */
  async function commit(id: string, from: Stamp, temporary: string, began: number, claimAs: (path: string) => Promise<void>): Promise<boolean> {
    const { rev } = from
    const record = names.record(id)
    const gone = (): boolean => {
      if (Date.now() - began > tooLate) throw conflictError(1)
      return true
    }
    // To give up is to take the temporary file away. If it has gone already, somebody committed it.
    const isCommitted = async (): Promise<boolean> => (await removed(temporary)) ? false : gone()
    try {
      const generation = await claim(id, rev, claimAs)
      if (generation === undefined) {
        await discard(temporary)
        return false
      }
      const stands = await isAt(record, id, from)
      const committed = stands ? (await renamed(temporary, record)) || gone() : await isCommitted()
      await drop(names, id, rev, generation)
      return committed
    } catch (error) {
      // A failure after somebody else committed it is none.
      if (await isCommitted().catch(() => false)) return true
      throw error
    }
  }

  /** The generation that was claimed, or `undefined` when the record is not at `rev` any more. */
  async function claim(id: string, rev: number, make: (path: string) => Promise<void>): Promise<number | undefined> {
    for (let generation = 0; ; generation++) {
      try {
        await make(names.claim(id, rev, generation))
        return generation
      } catch (error) {
        // What is linked to has gone: the record, or the owner's file.
        if (hasCode(error, 'ENOENT')) return undefined
        if (!hasCode(error, 'EEXIST')) throw error
      }
      for (const delay of patience) {
        await pause(delay * (0.5 + Math.random()))
        if ((await revisionAt(names.record(id), id)) !== rev) return undefined
      }
      if (!(await finish(names, id, rev, generation))) return undefined
    }
  }

  async function claimRemoval(id: string, rev: number, path: string): Promise<void> {
    try {
      await link(names.record(id), path)
    } catch (error) {
      // Some systems let nobody link to a file that belongs to another user.
      if (!hasCode(error, 'EPERM', 'EACCES')) throw error
      const temporary = names.temporary(id, rev, randomUUID())
      await writeNew(temporary, removal, undefined, writing)
      try {
        await link(temporary, path)
      } finally {
        await discard(temporary)
      }
    }
  }

  return {
    async replace(id, from, text, to) {
      const owner = await owners.take(id, from.rev).catch(ignore('ENOENT'))
      // No directory, so no record.
      if (!owner) return false
      try {
        const temporary = names.temporary(id, from.rev, owner.unique)
        // Before it is written, so that nobody can find it older than this says.
        const began = Date.now()
        if (!(await written(temporary, text, to, writing))) return false
        const committed = await commit(id, from, temporary, began, (path) =>
          link(owner.path, path).catch((error: unknown) => {
            // Somebody tidied up, or so many dead claims are links to it that there can be no more.
            if (hasCode(error, 'ENOENT', 'EMLINK')) owners.lost(owner)
            throw error
          })
        )
        if (committed && writing.sync) await syncDirectory(names.dir)
        return committed
      } finally {
        owners.release(owner)
      }
    },

    async remove(id, from) {
      const { rev } = from
      const record = names.record(id)
      const generation = await claim(id, rev, (path) => claimRemoval(id, rev, path))
      if (generation === undefined) return false
      const stands = await isAt(record, id, from)
      if (stands) await removed(record)
      // A claim that is a link to the state at `rev` was made in time: somebody else finished it.
      const done = stands || (await revisionAt(names.claim(id, rev, generation), id)) === rev
      await drop(names, id, rev, generation)
      if (done && writing.sync) await syncDirectory(names.dir)
      return done
    },

    close: () => owners.close()
  }
}

/**
 * Does for the owner of a claim what it has not done yet. Answers `true` when there is nothing to do for good, because
 * the owner gave up; otherwise the record is past `rev` afterwards, and the claim of an update is gone.
 */
export async function finish(names: Names, id: string, rev: number, generation: number): Promise<boolean> {
  const record = names.record(id)
  const found = await readText(names.claim(id, rev, generation))
  if (!found) return false
  const says = 'text' in found ? found.text : ''
  const stands = (await revisionAt(record, id)) === rev
  if (stands && isUuid.test(says)) {
    // First gone, then still at the old revision: it was taken away, not committed.
    if (!(await renamed(names.temporary(id, rev, says), record)) && (await revisionAt(record, id)) === rev) return true
  } else if (says === removal || says.trimStart().startsWith('{')) {
    if (stands) await removed(record)
    // Its owner learns from the claim that it was carried out, and drops it, or else the sweep does.
    return false
  } else if (stands) {
    // Only a power cut can leave an owner's file that says nothing, and it stopped everybody who could have gone on.
    return true
  }
  await drop(names, id, rev, generation)
  return false
}

const isUuid = /^[0-9a-f-]{36}$/

/** Only tidies up after a record that is past `rev`, so nothing depends on its success. */
async function drop(names: Names, id: string, rev: number, generation: number): Promise<void> {
  for (let each = 0; each <= generation; each++) await discard(names.claim(id, rev, each))
}

// `false`: it was not there.

async function renamed(from: string, to: string): Promise<boolean> {
  return (await rename(from, to).then(() => true, ignore('ENOENT'))) ?? false
}

async function removed(path: string): Promise<boolean> {
  return (await unlink(path).then(() => true, ignore('ENOENT'))) ?? false
}

async function written(path: string, text: string, stamp: Stamp, writing: Writing): Promise<boolean> {
  return (await writeNew(path, text, stamp, writing).then(() => true, ignore('ENOENT'))) ?? false
}
