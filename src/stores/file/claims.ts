import { conflictError } from '../../errors.js'
import { discard, hasCode, ignore, link, pause, readlink, rename, symlink, syncDirectory, unlink } from './io.js'
import type { Names } from './names.js'
import { revisionAt, type Swap } from './swap.js'

/*
 * The protocol: how processes that share a directory change a record one at a time, without a lock.
 *
 * To take record R from revision r to a later one, a process
 *   1. writes the new text to a temporary file T of a unique name,
 *   2. claims the step from r: it makes a symbolic link that names T, under a name made of id, r and a generation g
 *      (from 0). Making a link fails where there is one, so the claim C(r, g) has one owner;
 *   3. looks whether R still is at r,
 *   4. renames T to R, and
 *   5. removes C.
 * A removal claims the same name with a hard link to R (which needs no free block on a full disk; where hard links are
 * refused, a symbolic link to `-`), and its step 4 removes R.
 *
 * Whoever finds C taken waits a moment for its owner, and then does steps 3 to 5 in the owner's stead ("finishes" it),
 * whether the owner is dead, stopped or merely slow. What makes this safe:
 *
 *   a. R's revision never goes down, and an id is not used again once its record is gone.
 *   b. While R is at r, no claim C(r, …) is taken away. One whose T has gone (its owner gave up) with R still at r is void
 *      for good, and the next contender claims C(r, g+1). So of all claims that are made while R is at r only the last can
 *      lead to a commit, and it is never made before the one before it is void: the *claim that counts*.
 *   c. C(r, …) is removed only by somebody who saw R past r. Whoever claims it again later, however late, does so after R
 *      passed r and fails in step 3. So removing it is harmless at any time from then on.
 *   d. A commit renames the unique T, never the claim. Two who finish the same claim rename the same file: one succeeds,
 *      and the other finds it gone. (Renaming the claim itself, a name that is used again, would let a process that
 *      was stopped before its rename put a stranger's stale claim over newer data when it continues.)
 *
 * Stopped (SIGSTOP) before 2: when it continues, it claims after all that happened meanwhile, as if it were merely late.
 * Stopped between 2 and 3: others finish it; it then finds R past r and T gone, which means that it was committed. If
 *   T is still there it was not, and with its T it gives up and begins anew on the newer record.
 * Stopped between 3 and 4: its claim was made, then R was seen at r, so the claim counts. R can only have gone on through
 *   T, and the late rename finds T gone: committed. A late removal finds R gone.
 * A finisher stopped between its 3 and 4: it read which T the claim names, then saw R at r, so that claim counts; the same
 *   follows.
 * Stopped before 5: see c.
 *
 * Killed after 1: T is swept after an hour. Killed after 2 or 3: the next process that changes the record finishes the
 * step, as soon as its wait is over; readers go on seeing revision r, which is whole. Killed after 4: committed, and C is
 * swept. So who was told of a commit can rely on it, and who was killed may or may not have committed, but never half.
 *
 * T being gone means "committed" only while nobody else removes it: the sweep does, but only after an hour, and a process
 * that took more than half of that does not claim to know (`tooLate`).
 */

const removal = '-'
// For the owner of a claim, which under load may take a few milliseconds to be done with it; finishing it earlier would be
// safe as well.
const patience = [1, 2, 4, 8]
const tooLate = 30 * 60_000

export interface ClaimsOptions {
  names: Names
  /** Whether renames and removals wait until the disk has them. */
  sync: boolean
}

export function createClaims({ names, sync }: ClaimsOptions): Swap {
  return {
    async replace(id, rev, unique) {
      const began = Date.now()
      const record = names.record(id)
      const temporary = names.temporary(id, unique)
      // From here on others may commit it: to give up is to take the temporary file away, and only that tells.
      const givenUp = async (): Promise<boolean> => {
        const removed = await unlink(temporary).then(() => true, ignore('ENOENT'))
        if (!removed && Date.now() - began > tooLate) throw conflictError(1)
        return removed === true
      }
      try {
        const generation = await claim(id, rev, (path) => symlink(unique, path))
        if (generation === undefined) {
          await discard(temporary)
          return false
        }
        if ((await revisionAt(record, id)) !== rev) {
          const committed = !(await givenUp())
          await drop(names, id, rev, generation)
          return committed
        }
        const renamed = await rename(temporary, record).then(() => true, ignore('ENOENT'))
        if (!renamed && Date.now() - began > tooLate) throw conflictError(1)
        await drop(names, id, rev, generation)
      } catch (error) {
        // An error after somebody else committed it is none.
        if (await givenUp().catch(() => true)) throw error
      }
      if (sync) await syncDirectory(names.dir)
      return true
    },

    async remove(id, rev) {
      const record = names.record(id)
      const generation = await claim(id, rev, (path) => claimRemoval(record, path))
      if (generation === undefined) return false
      const current = (await revisionAt(record, id)) === rev
      if (current) await unlink(record).catch(ignore('ENOENT'))
      await drop(names, id, rev, generation)
      if (current && sync) await syncDirectory(names.dir)
      return current
    }
  }

  /** The generation that was claimed, or `undefined` when the record is not at `rev` any more. */
  async function claim(id: string, rev: number, make: (path: string) => Promise<void>): Promise<number | undefined> {
    for (let generation = 0; ; generation++) {
      try {
        await make(names.claim(id, rev, generation))
        return generation
      } catch (error) {
        // No directory, or no record to link to.
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
}

/**
 * Does for the owner of a claim what it has not done yet. Answers `true` when there is nothing to do for good, because
 * the owner gave up; otherwise the record is past `rev` afterwards, and the claim is gone.
 */
export async function finish(names: Names, id: string, rev: number, generation: number): Promise<boolean> {
  const record = names.record(id)
  const path = names.claim(id, rev, generation)
  // EINVAL: not a symbolic link, so a hard link to the record.
  const target = await readlink(path).catch((error: unknown) => (hasCode(error, 'EINVAL') ? removal : ignore('ENOENT')(error)))
  if (target === undefined) return false
  if ((await revisionAt(record, id)) === rev) {
    if (target === removal) {
      await unlink(record).catch(ignore('ENOENT'))
    } else {
      const renamed = await rename(names.temporary(id, target), record).then(() => true, ignore('ENOENT'))
      // First gone, then still at the old revision: it was taken away, not committed.
      if (!renamed && (await revisionAt(record, id)) === rev) return true
    }
  }
  await drop(names, id, rev, generation)
  return false
}

async function claimRemoval(record: string, path: string): Promise<void> {
  try {
    await link(record, path)
  } catch (error) {
    // No hard links here, or none to a file that somebody else owns.
    if (!hasCode(error, 'EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK', 'EACCES')) throw error
    await symlink(removal, path)
  }
}

/** Only tidies up after a record that is past `rev`, so nothing depends on its success. */
async function drop(names: Names, id: string, rev: number, generation: number): Promise<void> {
  for (let each = 0; each <= generation; each++) await discard(names.claim(id, rev, each))
}
