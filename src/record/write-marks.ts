import { randomBytes } from 'node:crypto'

/*
 * `write` in a record names the write that made this state of it. It distinguishes states that have the same revision: after a failover or a
 * restored backup, a store may have another revision 7.
 *
 * It also answers the question "was my write applied?" when a driver sent a command twice because the first answer was lost,
 * and another process has written since. So `write` is a list: the mark of this write, then the latest mark of each of the last
 * seven other writers, then the mark of the creation. `"write":"k3v9a0x2-1f b71x20aa-9 77ab01c0d4"` says that writer k3v9a0x2 made this
 * state with its write 1f, that writer b71x20aa wrote before, with its write 9, and that creation 77ab01c0d4 made the record. Only marks
 * of writers have a `-`.
 */

/** How many writers `write` names at most, including the one that wrote the state. */
const mostWriters = 8

/** One writer of records: a store object in a process, which makes one write of a session at a time. */
export interface Writer {
  /** The value of `write` for the next write of a record, whose value was `last` until now. */
  next(last?: string): string
  /**
   * Reports whether a write that this writer tried was applied, so that the stored state is that write or is based on it. `undefined`: it
   * cannot be known.
   *
   * @param tried `write` and `rev` of what this writer tried to store.
   */
  wasApplied(tried: Version, stored: Version): boolean | undefined
}

/** The fields that distinguish a state of a record from every other. */
export interface Version {
  readonly rev: number
  readonly write: string
}

export function createWriter(): Writer {
  const own = `${randomName()}-`
  let count = 0

  return {
    next(last) {
      const mark = own + (count++).toString(36)
      if (!last) return mark
      // In most cases this writer made the last write too, and only its own mark changes.
      if (last.startsWith(own)) return mark + last.slice(markOf({ write: last }).length)
      const { writers, creation } = marksIn(last)
      const others = writers.filter((other) => !other.startsWith(own)).slice(0, mostWriters - 1)
      return [mark, ...others, ...creation].join(' ')
    },
    wasApplied(tried, stored) {
      const marks = marksIn(stored.write).writers
      if (marks.includes(markOf(tried))) return true
      // A list names the latest write of each writer, so this writer's latest applied write is an older one.
      if (marks.some((mark) => mark.startsWith(own))) return false
      // The mark drops off the list only after as many other writers as the list holds have written.
      if (marks.length < mostWriters || stored.rev - tried.rev < mostWriters) return false
      // Marks that were in the list before this write drop off before its mark does.
      const older = marksIn(tried.write).writers
      return marks.some((mark) => older.includes(mark)) ? false : undefined
    }
  }
}

const creator = randomName()
let creations = 0

/** The mark of a record that is created now. It belongs to no writer. */
export function createMark(): string {
  return creator + (creations++).toString(36)
}

/** Reports whether a creation was applied, so that the stored state is that record or is based on it. */
export function wasCreated(tried: Version, stored: Pick<Version, 'write'>): boolean {
  return stored.write.split(' ').includes(markOf(tried))
}

/** Reports whether two states come from one creation. If not, the record was removed in between, and another one created under its id. */
export function isSameCreation(one: Pick<Version, 'write'>, other: Pick<Version, 'write'>): boolean {
  return marksIn(one.write).creation[0] === marksIn(other.write).creation[0]
}

/** The marks of a list. The creation's is missing in records that were created with a mark of another form. */
function marksIn(write: string): { readonly writers: readonly string[]; readonly creation: readonly string[] } {
  const marks = write.split(' ')
  return { writers: marks.filter(isOfWriter), creation: marks.filter((mark) => !isOfWriter(mark)).slice(-1) }
}

function isOfWriter(mark: string): boolean {
  return mark.includes('-')
}

/** Lower-case letters and digits only, so that a mark can be part of a file name on every system. */
function randomName(): string {
  return BigInt(`0x${randomBytes(6).toString('hex')}`).toString(36).padStart(10, '0')
}

/** The mark of the write that made this state: the first of the list. */
export function markOf({ write }: Pick<Version, 'write'>): string {
  const end = write.indexOf(' ')
  return end === -1 ? write : write.slice(0, end)
}

/** Reports whether two versions are the same state of a record. */
export function isSameVersion(one: Version, other: Version): boolean {
  return one.rev === other.rev && one.write === other.write
}
