import fs from 'node:fs'
import { hasCode } from './io.js'
import type { Entry, Names } from './names.js'

// Few, so that requests always find a free thread soon. One alone would wake a thread and the event loop for each file, which
// costs several times the call itself.
const atOnce = 4
// A listing of a million names at once would hold the event loop.
const pageSize = 256

/** What there is of one prefix in a directory, a page at a time. */
export async function* pages(names: Names, stopped: () => boolean): AsyncGenerator<Entry[]> {
  let page: Entry[] = []
  try {
    for await (const { name } of await fs.promises.opendir(names.dir, { bufferSize: pageSize })) {
      if (stopped()) return
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

/** Works on several items at once until it is stopped, and ends, also with an error, only when none is worked on any more. */
export async function sideBySide<T>(
  items: Iterable<T> | AsyncIterable<T>,
  stopped: () => boolean,
  work: (item: T) => Promise<unknown>
): Promise<void> {
  const left = Symbol.asyncIterator in items ? items[Symbol.asyncIterator]() : items[Symbol.iterator]()
  const worker = async (): Promise<void> => {
    for (let next = await left.next(); !next.done && !stopped(); next = await left.next()) await work(next.value)
  }
  const ends = await Promise.allSettled(Array.from({ length: atOnce }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
