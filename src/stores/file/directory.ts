import fs, { type Stats } from 'node:fs'
import { SessionError } from '../../errors.js'
import type { Entry, FileNames } from './file-names.js'
import { hasCode, makeDirectory } from './fs-calls.js'

/** The bits of a mode that let the group and everybody write. */
const writableByOthers = 0o022
/**
 * How many files are worked on at once. They are few, so that requests find a free thread soon: libuv has four. But one alone would wake a
 * thread and the event loop for each call, which costs several times the call itself.
 */
const workers = 8
/** How many names are listed at once. A million of them would hold the event loop. */
const pageSize = 256

/** Whether a file belongs to a user who is neither this process' nor root, who can do everything anyway. */
export function isForeign({ uid }: Stats): boolean {
  // Asked each time, because a process may give up its rights. Windows has no such ids.
  const own = process.geteuid?.()
  return own !== undefined && uid !== own && uid !== 0
}

/** The directory of a store, which must be safe from other users: they could plant sessions, or remove them. */
export class Directory {
  readonly path: string
  #isChecked = false

  constructor(path: string) {
    this.path = path
  }

  get isChecked(): boolean {
    return this.#isChecked
  }

  /**
   * Checks the directory if it has not been checked since it was made. A directory that is missing is in order.
   *
   * @throws SessionError `ERR_SESSION_STORE` that says how to put it right.
   */
  async check(): Promise<void> {
    if (this.#isChecked) return
    let stats
    try {
      stats = await fs.promises.stat(this.path)
    } catch (error) {
      if (hasCode(error, 'ENOENT')) return
      throw error
    }
    if (isForeign(stats)) {
      throw unsafe(`${this.path} belongs to another user (uid ${stats.uid}): give it to the user that runs this process, with \`chown ${process.geteuid?.()}\``)
    }
    if (process.platform !== 'win32' && (stats.mode & writableByOthers) !== 0) {
      throw unsafe(`other users may write to ${this.path} (mode ${(stats.mode & 0o777).toString(8)}): take that right from them, with \`chmod go-w\``)
    }
    this.#isChecked = true
  }

  /** Makes the directory, which was found missing. */
  async make(): Promise<void> {
    this.#isChecked = false
    await makeDirectory(this.path)
    await this.check()
  }
}

/** The files of one prefix in a directory, a page at a time. */
export async function* pages(names: FileNames, isOver: () => boolean): AsyncGenerator<Entry[]> {
  let page: Entry[] = []
  try {
    for await (const { name } of await fs.promises.opendir(names.dir, { bufferSize: pageSize })) {
      if (isOver()) return
      const entry = names.parse(name)
      if (entry) page.push(entry)
      if (page.length < pageSize) continue
      yield page
      page = []
    }
  } catch (error) {
    if (!hasCode(error, 'ENOENT')) throw error
  }
  yield page
}

/** The ids of a page that are records'. */
export function recordIds(page: readonly Entry[]): string[] {
  const ids: string[] = []
  for (const entry of page) if (entry.kind === 'record') ids.push(entry.id)
  return ids
}

/** Works on a few items at once until it is over. It ends, also with an error, only when no item is worked on any more. */
export async function sideBySide<T>(items: Iterable<T> | AsyncIterable<T>, isOver: () => boolean, work: (item: T) => Promise<unknown>): Promise<void> {
  const left = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = await left.next(); !next.done && !isOver(); next = await left.next()) await work(next.value)
  }
  const ends = await Promise.allSettled(Array.from({ length: workers }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

function unsafe(flaw: string): SessionError {
  return new SessionError('ERR_SESSION_STORE', `the session store refuses its directory, because ${flaw}, or choose another \`dir\``)
}
