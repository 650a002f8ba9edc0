import fs from 'node:fs'
import { SessionError } from '../../errors.js'
import type { Entry, FileNames } from './file-names.js'
import { hasCode, isForeign } from './fs-calls.js'

/** The bits of a mode that let the group and all other users write. */
const writableByOthers = 0o022
/**
 * How many files a sweep or an eviction works on at once. The number is low, so that requests find a free thread of libuv's four soon. With one
 * file at a time, each call would wake a thread and the event loop, which costs several times as much as the call itself.
 */
const workers = 8
/** How many names are listed at once. A million of them would block the event loop. */
const pageSize = 256

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
   * Checks the directory, unless it was checked before. A missing directory is allowed.
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
      throw unsafeError(`${this.path} belongs to another user (uid ${stats.uid}): give it to the user that runs this process, with \`chown ${process.geteuid?.()}\``)
    }
    if (process.platform !== 'win32' && (stats.mode & writableByOthers) !== 0) {
      throw unsafeError(`other users may write to ${this.path} (mode ${(stats.mode & 0o777).toString(8)}): take that right from them, with \`chmod go-w\``)
    }
    this.#isChecked = true
  }

  /** Creates the directory after a call has found it missing. */
  async make(): Promise<void> {
    this.#isChecked = false
    await makeDirectory(this.path)
    await this.check()
  }
}

/** Waits until renames and removals in a directory are on the disk, so that they survive a power failure. */
export async function syncDirectory(dir: string): Promise<void> {
  // Windows cannot open a directory, and need not.
  if (process.platform === 'win32') return
  const handle = await fs.promises.open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Creates a directory and those above it, with access for their owner only, whatever the umask is. It does not change one that exists. */
export async function makeDirectory(dir: string): Promise<void> {
  const firstCreated = await fs.promises.mkdir(dir, { recursive: true, mode: 0o700 })
  if (firstCreated !== undefined) await fs.promises.chmod(dir, 0o700)
}

/** Lists the files of one prefix in a directory, in pages. */
export async function* listPages(names: FileNames, isOver: () => boolean): AsyncGenerator<Entry[]> {
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

/** The names in a directory. A missing directory has none. */
export async function* namesIn(dir: string): AsyncGenerator<string> {
  try {
    for await (const { name } of await fs.promises.opendir(dir)) yield name
  } catch (error) {
    // Not a directory: a foreign file beside the owners' directories.
    if (!hasCode(error, 'ENOENT', 'ENOTDIR')) throw error
  }
}

/** The ids of the records in a page. */
export function recordIds(page: readonly Entry[]): string[] {
  const ids: string[] = []
  for (const entry of page) if (entry.kind === 'record') ids.push(entry.id)
  return ids
}

/** Works on the items, a few at once, until `isOver` returns true. It waits for all work in progress, even if one piece fails. */
export async function forEachInParallel<T>(items: Iterable<T> | AsyncIterable<T>, isOver: () => boolean, work: (item: T) => Promise<unknown>): Promise<void> {
  const left = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = await left.next(); !next.done && !isOver(); next = await left.next()) await work(next.value)
  }
  const ends = await Promise.allSettled(Array.from({ length: workers }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

function unsafeError(flaw: string): SessionError {
  return new SessionError('ERR_SESSION_STORE', `the session store refuses its directory, because ${flaw}, or choose another \`dir\``)
}
