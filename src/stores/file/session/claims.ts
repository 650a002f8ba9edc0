import { randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { SessionError } from '../../../errors.js'
import { readRecord } from '../../../record/index.js'
import { holdsState, type CompareAndSwap, type FileContext } from './compare-and-swap.js'
import { syncDirectory } from '../directory.js'
import { isSameState, timesOfFile, timesOfRecord, type FileTimes } from '../file-times.js'
import { discard, hasCode, link, lstat, readFile, rename, unlessMissing, unlink, writeNew } from '../fs-calls.js'

/*
 * The protocol: how processes that share a directory change a record one at a time, without a lock.
 *
 * R is the file of the record. A state S of the record is one `rev` with one `write`. The file times of R name the state (file-times.ts).
 *
 * To create R, a process writes a temporary file and makes a hard link to it under the name of R. That fails if R exists. So R is whole as
 * soon as it is visible, and the process knows whether it has created R. It then removes the temporary name.
 *
 * To take R from S to the next state N, a process
 *   1. writes the new text to a temporary file T, whose name is made of the id, S and N;
 *   2. claims the step from S: it makes a hard link to T under a name that is made of the id, S and a generation g, which begins at 0. A link
 *      cannot be made where a file exists, so the claim C(S, g) has one maker;
 *   3. checks that R is in state S;
 *   4. renames T to R; and
 *   5. removes C(S, g).
 * To remove R, a process makes the same claim, but as a hard link to R itself, which needs no free block on a full disk. There is no T,
 * and step 4 removes R.
 *
 * A process that finds C(S, g) made by another waits a moment and then takes steps 3 to 5 for the maker. We say that it *finishes* the claim.
 * It does so whether the maker is dead, stopped or slow. The file to which the claim is a link shows the step: a file in state S means that R
 * is to be removed, and a file in another state N names T.
 *
 * Why at most one change is made to each state, and no acknowledged change is lost:
 *
 *   a. R never returns to a state that it has left, because each write has a `write` of its own and an id is not used again. (Two states of
 *      one record that have the same deadline have the same name with a probability of 1 to 2^38. Restore a directory from a copy only
 *      while no process uses it.)
 *   b. While R is in S, no claim C(S, …) is removed. If T of a claim is gone while R is in S, then its maker gave up, and the claim can never
 *      lead to a change: we say that it is *void*. The next process then makes C(S, g + 1). So a claim is made only when all claims of lower
 *      generations are void. Of the claims that are made while R is in S, only the last one can lead to a change. We call it the claim
 *      that counts.
 *   c. C(S, g) is removed only by a process that has seen R in another state than S, or gone. If a process makes that claim again
 *      afterwards, R has left S, and step 3 fails. So it is harmless to remove the claim, however late.
 *   d. Step 4 renames T and not the claim, and the name of T is used once, because no two writes lead to the same N. If two processes
 *      finish the same claim, they rename the same T: one of them succeeds, and the other finds T gone. (To rename the claim itself would
 *      be wrong, because its name may be used again: a process that was stopped before the rename could then put another process' old claim
 *      over newer data.)
 *
 * Consequences for a process that is stopped (SIGSTOP) and continues later:
 *
 *   - Before step 2: it makes its claim after everything that happened in the meantime, like a process that is merely late.
 *   - Between 2 and 3: others finish its claim. It then finds R in another state. If T is gone, somebody renamed it: the change was made.
 *     If T is still there, the change was not made. The process removes T and tries again on the newer record.
 *   - Between 3 and 4: its claim was made before it saw R in S, so its claim is the one that counts. R can have left S only through T. The late
 *     rename finds T gone: the change was made. In the same way, a late removal finds R gone.
 *   - A process that finishes a claim, between its own 3 and 4: it read the name of T from the claim, and then saw R in S. So that claim is
 *     the one that counts, and the same follows.
 *   - Before 5: see c.
 *   - A removal has no T. If R is in another state when its maker looks, then the claim shows whether others finished it: they leave the
 *     claim to its maker, and a claim that is a link to R in state S was made while R was in S.
 *   - A creation: the name of its T is used once. If the sweep removed T meanwhile, no link can be made to it, and the creation fails.
 *
 * Consequences of killing a process:
 *
 *   - After 1: the sweep removes T when it is an hour old.
 *   - After 2 or 3: the next process that changes the record finishes the claim after its wait. Readers see the state S, which is whole.
 *   - After 4: the change was made. The sweep removes C.
 * So an acknowledged change was made. A change that was not acknowledged may or may not have been made, but never in part.
 *
 * "T is gone, so the change was made" holds only while nobody else removes T. The sweep does, after an hour. So a process that took more
 * than half an hour does not conclude it, and its call fails. Others may, such as a program that tidies up. So a process that finds T gone
 * looks at R again: if R is still in S, the change was not made, and the claim is void.
 *
 * If a step fails (for example because no file handle is left to look at R), the process gives up by removing T. A removal has no T: if it
 * fails after its claim, the next process that changes the record carries it out.
 */

/** The text of a removal's claim that cannot be a link to the record. */
const removal = '-'
/**
 * The pauses, in milliseconds, before a process finishes another's claim. Under load the maker may need a few. It would be safe to pause less.
 */
const waits = [1, 2, 4, 8]
/** After this time, in milliseconds, a process must not conclude anything from a missing temporary file: a sweep may have removed it. */
const tooLate = 30 * 60_000

/** Compare-and-swap with hard links. */
export class Claims implements CompareAndSwap {
  readonly #context: FileContext

  constructor(context: FileContext) {
    this.#context = context
  }

  async create(id: string, text: string, times: FileTimes, began: number): Promise<boolean> {
    const { names, writeOptions } = this.#context
    const temporary = names.temporary(id, randomUUID())
    await writeNew(temporary, text, times, writeOptions)
    try {
      assertInTime(began)
      await link(temporary, names.record(id))
    } catch (error) {
      if (hasCode(error, 'EEXIST')) return false
      throw hasCode(error, 'ENOENT') ? new SessionError('ERR_SESSION_STORE', lostCreation, { cause: error }) : error
    } finally {
      await discard(temporary)
    }
    if (writeOptions.sync) await syncDirectory(names.dir)
    return true
  }

  async replace(id: string, from: FileTimes, text: string, times: FileTimes): Promise<boolean> {
    const { names, writeOptions } = this.#context
    // Take the time before the file is written, so that the file is never older than this.
    const began = Date.now()
    const temporary = names.step(id, from, times)
    // Without the directory there is no record.
    if (!(await unlessMissing(writeNew(temporary, text, times, writeOptions)))) return false
    const committed = await this.#commit(id, from, temporary, began)
    if (committed && writeOptions.sync) await syncDirectory(names.dir)
    return committed
  }

  async remove(id: string, from: FileTimes): Promise<boolean> {
    const { names, writeOptions, largest } = this.#context
    const record = names.record(id)
    const generation = await this.#claim(id, from, (claim) => this.#linkRemoval(id, claim))
    if (generation === undefined) return false
    const isUnchanged = await holdsState(record, id, from, largest)
    if (isUnchanged) await unlessMissing(unlink(record))
    // A claim that is a link to the state `from` was made in time, so somebody else finished it.
    const removed = isUnchanged || (await holdsState(names.claim(id, from, generation), id, from, largest))
    await dropClaims(this.#context, id, from, generation)
    if (removed && writeOptions.sync) await syncDirectory(names.dir)
    return removed
  }

  /** Steps 2 to 5 of an update. Afterwards the temporary file is gone, whatever happened. */
  async #commit(id: string, from: FileTimes, temporary: string, began: number): Promise<boolean> {
    const { names, largest } = this.#context
    const record = names.record(id)
    const isInTime = (): true => {
      if (Date.now() - began > tooLate) throw new SessionError('ERR_SESSION_STORE', unknownOutcome)
      return true
    }
    const isUnchanged = (): Promise<boolean> => holdsState(record, id, from, largest)
    // To give up is to remove the temporary file. If it is gone already, then somebody committed it.
    const wasCommitted = async (): Promise<boolean> => !(await unlessMissing(unlink(temporary))) && !(await isUnchanged()) && isInTime()
    try {
      const generation = await this.#claim(id, from, (claim) => link(temporary, claim))
      if (generation === undefined) {
        await discard(temporary)
        return false
      }
      if (!(await isUnchanged())) {
        const committed = await wasCommitted()
        await dropClaims(this.#context, id, from, generation)
        return committed
      }
      if (!(await unlessMissing(rename(temporary, record)))) {
        // The claim is void and stays, because the record is still in its state.
        if (await isUnchanged()) return false
        isInTime()
      }
      await dropClaims(this.#context, id, from, generation)
      return true
    } catch (error) {
      // A step that failed after somebody else had committed the change is no failure.
      if (await wasCommitted().catch(() => false)) return true
      throw error
    }
  }

  /** Makes a claim and returns its generation. `undefined`: the record is in another state or gone. */
  async #claim(id: string, from: FileTimes, makeLink: (claim: string) => Promise<void>): Promise<number | undefined> {
    const { names, largest } = this.#context
    for (let generation = 0; ; generation++) {
      try {
        await makeLink(names.claim(id, from, generation))
        return generation
      } catch (error) {
        // The target of the link is gone: the record was removed, or the temporary file was swept.
        if (hasCode(error, 'ENOENT')) return undefined
        if (!hasCode(error, 'EEXIST')) throw error
      }
      for (const wait of waits) {
        await delay(wait * (0.5 + Math.random()))
        if (!(await holdsState(names.record(id), id, from, largest))) return undefined
      }
      if (!(await finishClaim(this.#context, id, from, generation))) return undefined
    }
  }

  async #linkRemoval(id: string, claim: string): Promise<void> {
    const { names, writeOptions } = this.#context
    try {
      await link(names.record(id), claim)
    } catch (error) {
      // Some systems let no other user make a link to a file of root.
      if (!hasCode(error, 'EPERM', 'EACCES')) throw error
      const temporary = names.temporary(id, randomUUID())
      await writeNew(temporary, removal, undefined, writeOptions)
      try {
        await link(temporary, claim)
      } finally {
        await discard(temporary)
      }
    }
  }
}

/**
 * Finishes a claim: takes the steps that its maker has not taken yet. Returns `true` if the claim is void. Otherwise the record has left the
 * state afterwards, and the claim of an update is gone.
 */
export async function finishClaim(context: FileContext, id: string, from: FileTimes, generation: number): Promise<boolean> {
  const { names, largest } = context
  const record = names.record(id)
  const next = await claimedState(names.claim(id, from, generation), id, from)
  if (!next) return false
  const isUnchanged = await holdsState(record, id, from, largest)
  if (next === 'none') {
    if (isUnchanged) return true
  } else if (isSameState(next, from)) {
    if (isUnchanged) await unlessMissing(unlink(record))
    // Leave the claim: it shows its maker that another process finished it, and the maker removes it. If the maker is dead, the sweep does.
    return false
  } else if (isUnchanged && !(await unlessMissing(rename(names.step(id, from, next), record)))) {
    // If the file was gone first and the record is still in the old state, then the maker gave up.
    if (await holdsState(record, id, from, largest)) return true
  }
  await dropClaims(context, id, from, generation)
  return false
}

/**
 * The state to which a claim leads, which is `from` for a removal. `'none'`: only a power failure leaves such a file, and it ended every
 * process that could have gone on. `undefined`: the claim is gone, or a newer version made it.
 */
async function claimedState(claim: string, id: string, from: FileTimes): Promise<FileTimes | 'none' | undefined> {
  const stats = await lstat(claim)
  const times = stats && timesOfFile(stats)
  if (times) return times
  const found = await readFile(claim, Infinity)
  if (!found || 'corrupt' in found) return undefined
  if (found.text === removal) return from
  try {
    const reading = readRecord(found.text, id)
    return 'corrupt' in reading ? 'none' : timesOfRecord(reading.record)
  } catch {
    return undefined
  }
}

/** Removes the claims on a state that the record has left. It does not matter if that fails. */
async function dropClaims({ names }: FileContext, id: string, from: FileTimes, generation: number): Promise<void> {
  for (let earlier = 0; earlier <= generation; earlier++) await discard(names.claim(id, from, earlier))
}

const unknownOutcome =
  'this process was stopped for so long in the middle of an update that it cannot tell whether the update was stored: read the session again before you repeat it'

const lostCreation =
  'the temporary file of a new session was gone before the session was stored, because this process was stopped for too long or the directory was emptied: repeat the request'

/** Fails a creation that takes too long: a sweep may already have removed the entry that it wrote (owner-index.ts). */
export function assertInTime(began: number): void {
  if (Date.now() - began > tooLate) throw new SessionError('ERR_SESSION_STORE', lostCreation)
}
