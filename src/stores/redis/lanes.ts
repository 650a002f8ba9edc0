import { UnderWay } from '../under-way.js'

/** One session's updates of this process, in line. */
interface Lane {
  tail: Promise<unknown>
  /** What the last of them wrote. */
  newest: string | undefined
}

/**
 * Queues work by id, and hands each the text that the one before it wrote: a hundred updates of one session in one
 * process then cost a hundred round trips instead of fighting over each revision. This is thrift, not safety: that the
 * work compares and swaps is what keeps processes from each other's changes.
 */
export function createLanes() {
  const lanes = new UnderWay<Lane>()

  async function enter<T>(id: string, work: (newest: string | undefined, tell: (text: string | undefined) => void) => Promise<T>): Promise<T> {
    const present = lanes.get(id)
    const lane: Lane = present ?? { tail: Promise.resolve(), newest: undefined }
    const tell = (text: string | undefined) => void (lane.newest = text)
    const start = () => work(lane.newest, tell)
    const mine = present ? lane.tail.then(start) : start()
    const tail = mine.then(noop, noop)
    lane.tail = tail
    lanes.set(id, lane)
    try {
      return await mine
    } finally {
      if (lane.tail === tail) lanes.delete(id)
    }
  }

  return { enter }
}

function noop(): void {}
