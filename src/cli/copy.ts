import { collectCorrupt } from './collect-corrupt.js'
import { confirm, declined } from './confirm.js'
import { Counts } from './copy-counts.js'
import { SessionCopy, type Ended } from './copy-sessions.js'
import { CommandError, print, type Io } from './io.js'
import { listingOf, type Opened } from './open-store.js'
import { startProgress } from './progress.js'
import { sessions } from './text.js'

export interface CopyOptions {
  readonly delete?: boolean
  readonly dryRun?: boolean
  readonly restore?: boolean
  readonly yes?: boolean
}

/**
 * `copy FROM TO`: copies the sessions of one store to another, with the same ids, so that nobody is logged out. The status is 1 when a session
 * was left out.
 */
export async function copy(from: Opened, to: Opened, { delete: removes = false, dryRun = false, restore = false, yes = false }: CopyOptions, io: Io): Promise<number> {
  if (from.name === to.name) throw new CommandError('FROM and TO are the same store')
  const counts = new Counts()
  const sessionCopy = new SessionCopy(from.store, to.store, { from: from.name, to: to.name, dryRun, restore }, counts)
  if (removes) listingOf(to)
  const { live, corrupt, ended } = await look(from, sessionCopy, removes, io)
  for (const [id, reason] of corrupt) counts.leaveOut(id, `the source has something under its id that is not a session: ${reason}`)
  if (removes && live === 0) {
    throw new CommandError(`${from.name} has no sessions, so --delete would remove every copy from ${to.name}: check the source and --prefix`)
  }
  if (ended.length > 0 && !dryRun) {
    const action = `This removes ${sessions(ended.length)} from ${to.name}: earlier copies, whose sessions have ended in ${from.name}. Then it copies ${sessions(live)}.`
    if (!(await confirm(io, action, yes))) return declined(io)
  }
  await sessionCopy.removeEnded(ended)
  const progress = startProgress(io.stderr, live)
  try {
    await sessionCopy.copyAll(() => progress.advance())
  } finally {
    progress.stop()
  }
  if (counts.leftOut > 0) await print(io.stderr, counts.problems())
  if (dryRun) await print(io.stderr, 'Nothing was written, because of --dry-run. A real copy would do this:')
  await print(io.stdout, counts.summary(removes))
  return counts.leftOut > 0 ? 1 : 0
}

/** Looks at both stores before anything is written. */
async function look(from: Opened, sessionCopy: SessionCopy, removes: boolean, io: Io): Promise<Survey & { readonly ended: readonly Ended[] }> {
  const progress = startProgress(io.stderr, undefined)
  try {
    const advance = (): void => progress.advance()
    // One after the other: an event does not say in which store something corrupt was found.
    const found = await survey(from, advance)
    return { ...found, ended: await sessionCopy.review(removes, advance) }
  } finally {
    progress.stop()
  }
}

interface Survey {
  readonly live: number
  /** The reasons why something in the source is not a session, by id. */
  readonly corrupt: ReadonlyMap<string, string>
}

/** Counts the live sessions of the source, and collects what is not a session. @param onEach is called after each. */
async function survey(from: Opened, onEach: () => void): Promise<Survey> {
  const { result: live, corrupt } = await collectCorrupt(async () => {
    let count = 0
    for await (const _ of listingOf(from)) {
      count++
      onEach()
    }
    return count
  })
  return { live, corrupt }
}
