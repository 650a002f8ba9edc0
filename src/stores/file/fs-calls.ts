import fs, { constants, type Stats } from 'node:fs'
import { inSeconds, type FileTimes } from './file-times.js'

/*
 * The calls of the file system that this store makes for one file, with promises. They use the callback API of Node: `fs/promises` makes a `FileHandle` for
 * each file, and a read with it costs up to twice as much.
 */

type Done = (error: NodeJS.ErrnoException | null) => void

/** Flags that never follow a symbolic link, and never wait for a writer to a FIFO. Windows has neither flag. */
export const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)

/** The options with which new files are written. */
export interface WriteOptions {
  /** The mode of the file. The umask does not change it. */
  readonly mode: number
  /** Whether to wait until the file is on the disk. */
  readonly sync: boolean
}

export const rename = (from: string, to: string): Promise<void> => call((done) => fs.rename(from, to, done))
export const unlink = (path: string): Promise<void> => call((done) => fs.unlink(path, done))
export const link = (existing: string, path: string): Promise<void> => call((done) => fs.link(existing, path, done))
export const rmdir = (path: string): Promise<void> => call((done) => fs.rmdir(path, done))

/** `undefined`: there is no such file. */
export function lstat(path: string): Promise<Stats | undefined> {
  return new Promise((resolve, reject) => {
    fs.lstat(path, (error, stats) => {
      if (error && error.code !== 'ENOENT') reject(error)
      else resolve(error ? undefined : stats)
    })
  })
}

/** Reports whether a file belongs to a user who is neither that of this process nor root. (Root can do everything anyway.) */
export function isForeign({ uid }: Stats): boolean {
  // Do not cache the id, because a process may give up its rights. Windows has no such ids.
  const own = process.geteuid?.()
  return own !== undefined && uid !== own && uid !== 0
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | null)?.code ?? '')
}

/** Waits for a call and reports whether its file existed. */
export async function unlessMissing(started: Promise<void>): Promise<boolean> {
  try {
    await started
    return true
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false
    throw error
  }
}

/** Removes a file that may be gone already. A failure is ignored: the sweep removes what is left. */
export async function discard(path: string): Promise<void> {
  await unlink(path).catch(() => undefined)
}

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
        const buffer = Buffer.allocUnsafe(size)
        const readFrom = (at: number): void =>
          fs.read(fd, buffer, at, size - at, at, (readError, count) => {
            const end = at + count
            if (!readError && count > 0 && end < size) return readFrom(end)
            close()
            if (readError) reject(readError)
            else resolve({ text: buffer.toString('utf8', 0, end), stats })
          })
        readFrom(0)
      })
    })
  })
}

/**
 * Writes a new file and sets its times. It fails if the file exists, and leaves no file behind when it fails.
 */
export function writeNew(path: string, text: string, times: FileTimes | undefined, { mode, sync }: WriteOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    fs.open(path, 'wx', mode, (openError, fd) => {
      if (openError) return reject(openError)
      const data = Buffer.from(text)
      const fail = (error: NodeJS.ErrnoException): void => fs.close(fd, () => fs.unlink(path, () => reject(error)))
      const write = (from: number): void =>
        fs.write(fd, data, from, data.length - from, null, (error, count) => {
          if (error) return fail(error)
          // A disk that is nearly full accepts a part of the data. Only the next write fails. One that accepts nothing would go on for ever.
          if (count === 0 && data.length > 0) return fail(Object.assign(new Error('EIO: the file system wrote nothing, write'), { code: 'EIO' }))
          if (from + count < data.length) return write(from + count)
          withMode(fd, mode, (modeError) => (modeError ? fail(modeError) : putTimes()))
        })
      const putTimes = (): void => {
        if (!times) return toDisk()
        const { atime, mtime } = inSeconds(times)
        // Ignore a failure: the store then reads the text, because the times do not encode a state.
        fs.futimes(fd, atime, mtime, toDisk)
      }
      const toDisk = (): void => {
        if (sync) fs.fsync(fd, (error) => (error ? fail(error) : close()))
        else close()
      }
      const close = (): void => fs.close(fd, (error) => (error ? fs.unlink(path, () => reject(error)) : resolve()))
      write(0)
    })
  })
}

/** Sets the times of a file, unless another file has its name now. A failure is ignored: the store then reads the text instead. */
export async function setTimes(path: string, seen: Stats, times: FileTimes): Promise<void> {
  const { atime, mtime } = inSeconds(times)
  const file = await fs.promises.open(path, readFlags).catch(() => undefined)
  try {
    const stats = await file?.stat()
    // The number of an inode can be reused, but then the time of its last change differs.
    if (stats?.ino === seen.ino && stats.ctimeMs === seen.ctimeMs) await file?.utimes(atime, mtime)
  } catch {
    // See above.
  } finally {
    await file?.close()
  }
}

/**
 * For each mode, whether the umask of this process removes bits of it. The first file of a mode shows that, so that only an unusual umask costs
 * a call for each file. Before that call, a file has fewer rights than it should have, and never more.
 */
const umaskRemovesBits = new Map<number, boolean>()

function withMode(fd: number, mode: number, done: Done): void {
  const removesBits = umaskRemovesBits.get(mode)
  if (removesBits === false) return done(null)
  if (removesBits === true) return fs.fchmod(fd, mode, done)
  fs.fstat(fd, (error, stats) => {
    if (error) return done(error)
    // Windows does not keep these bits, so there is nothing to repair.
    umaskRemovesBits.set(mode, process.platform !== 'win32' && (stats.mode & 0o777) !== mode)
    withMode(fd, mode, done)
  })
}

function call(start: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error) reject(error)
      else resolve()
    })
  })
}
