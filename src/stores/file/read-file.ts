import fs, { type Stats } from 'node:fs'
import { readRecord, type SessionRecord } from '../../record/index.js'
import { isForeign } from './directory.js'
import { hasTimes, isSameState, timesOfRecord, type FileTimes } from './file-times.js'
import { lstat, readFlags } from './fs-calls.js'

/** The content of a path: a text and the stats of its file, or something that cannot be a record of ours. */
export type Content = { readonly text: string; readonly stats: Stats } | Unreadable

export interface Unreadable {
  readonly corrupt: string
  /** `true` if the file belongs to another user. The store then leaves it where it is. */
  readonly isForeign?: boolean
}

/** The codes with which systems refuse to open a file that is not regular: a symbolic link, a socket, a directory. */
const oddCodes = new Set(['ELOOP', 'EMLINK', 'EISDIR', 'ENXIO', 'EFTYPE', 'EOPNOTSUPP'])
const irregular: Unreadable = { corrupt: 'it is not a regular file' }

/** The size in bytes of the buffers that are reused, because allocating one for each read costs time. Most records fit into one. */
const bufferSize = 8192
/** How many unused buffers are kept. */
const mostSpare = 32
const spare: Buffer[] = []

/**
 * Reads a file. `undefined`: there is none.
 *
 * @param largest the size in bytes over which a text is too large for a record. At most one byte more is read.
 */
export function readFile(path: string, largest: number): Promise<Content | undefined> {
  return new Promise((resolve, reject) => {
    fs.open(path, readFlags, (openError, fd) => {
      if (openError) {
        if (openError.code === 'ENOENT') resolve(undefined)
        else if (oddCodes.has(openError.code ?? '')) resolve(irregular)
        else reject(openError)
        return
      }
      // Do not wait until the file is closed: it was only read, so nothing can be lost.
      const close = (): void => fs.close(fd, () => undefined)
      fs.fstat(fd, (error, stats) => {
        if (error || !stats.isFile() || isForeign(stats)) {
          close()
          if (error) reject(error)
          else resolve(stats.isFile() ? { corrupt: 'its file belongs to another user', isForeign: true } : irregular)
          return
        }
        const size = Math.min(stats.size, largest + 1)
        const buffer = size <= bufferSize ? (spare.pop() ?? Buffer.allocUnsafeSlow(bufferSize)) : Buffer.allocUnsafe(size)
        const readFrom = (at: number): void =>
          fs.read(fd, buffer, at, size - at, at, (readError, count) => {
            const end = at + count
            if (!readError && count > 0 && end < size) return readFrom(end)
            close()
            if (readError) reject(readError)
            else resolve({ text: buffer.toString('utf8', 0, end), stats })
            if (buffer.length === bufferSize && spare.length < mostSpare) spare.push(buffer)
          })
        readFrom(0)
      })
    })
  })
}

/** Reads the record in a file. `undefined`: there is none, or a newer version wrote it, so that this version must leave it alone. */
export async function readStored(path: string, id: string, largest: number): Promise<{ readonly record: SessionRecord; readonly stats: Stats } | Unreadable | undefined> {
  const found = await readFile(path, largest)
  if (!found || 'corrupt' in found) return found
  try {
    const reading = readRecord(found.text, id, largest)
    return 'corrupt' in reading ? reading : { record: reading.record, stats: found.stats }
  } catch {
    return undefined
  }
}

/** Reports whether a file holds the state `from` of a record. */
export async function holdsState(path: string, id: string, from: FileTimes, largest: number): Promise<boolean> {
  const stats = await lstat(path)
  if (!stats || isForeign(stats)) return false
  if (hasTimes(stats, from)) return true
  // It may still hold that state: a person edited or copied the file, or its file system does not keep such times. Only its text shows it.
  const stored = await readStored(path, id, largest)
  return stored !== undefined && 'record' in stored && isSameState(timesOfRecord(stored.record), from)
}
