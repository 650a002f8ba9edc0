/** Works on the items of a listing, at most `most` of them at once. It stops at the first error, after the work in progress has ended. */
export async function forEachInParallel<T>(items: AsyncIterable<T>, most: number, work: (item: T) => Promise<void>): Promise<void> {
  const left = items[Symbol.asyncIterator]()
  const failed = new AbortController()
  const worker = async (): Promise<void> => {
    try {
      for (let next = await left.next(); !next.done && !failed.signal.aborted; next = await left.next()) await work(next.value)
    } catch (error) {
      failed.abort()
      throw error
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: most }, worker))
  await left.return?.()
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}
