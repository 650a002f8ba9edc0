import fs from 'node:fs'
import { hasCode } from './fs-calls.js'
import type { Entry, FileNames } from './file-names.js'

/**
 * Few, so that requests find a free thread soon: libuv has four. But one alone would wake a thread and the event loop for each call, which
 * costs several times the call itself.
 */
const workers = 8
/** A listing of a million names at once would hold the event loop. */
const pageSize = 256

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
