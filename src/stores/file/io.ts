import fs, { constants } from 'node:fs'
import { secondsOf, timesOf, type Stamp } from './stamp.js'

/**
 * The file system as this store uses it: callbacks turned into bare promises. `fs/promises` makes a FileHandle for each
 * file, and was measured to cost up to twice as much for a read.
 */

/** What stands at a path: a text, or something that is not a regular file. */
export type Found = { text: string } | { corrupt: string }

type Done = (error: NodeJS.ErrnoException | null) => void

function call(start: (done: Done) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    start((error) => {
      if (error) reject(error)
      else resolve()
    })
  })
}

export const rename = (from: string, to: string): Promise<void> => call((done) => fs.rename(from, to, done))
export const unlink = (path: string): Promise<void> => call((done) => fs.unlink(path, done))
export const link = (existing: string, path: string): Promise<void> => call((done) => fs.link(existing, path, done))
/**
 * Of the link itself, should the path be one. The atime is no stamp: by now another revision may stand there, which must
 * not look like the one that was read.
 */
export const setDeadline = (path: string, deadline: number): Promise<void> =>
  call((done) => fs.lutimes(path, Date.now() / 1000, secondsOf(deadline), done))

export function lstat(path: string): Promise<fs.Stats> {
  return new Promise((resolve, reject) => {
    fs.lstat(path, (error, stats) => {
      if (error) reject(error)
      else resolve(stats)
    })
  })
}

export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return codes.includes((error as NodeJS.ErrnoException | null)?.code ?? '')
}

/** For `.catch`: lets the given codes pass as "nothing was there". */
export function ignore(...codes: readonly string[]): (error: unknown) => undefined {
  return (error) => {
    if (!hasCode(error, ...codes)) throw error
    return undefined
  }
}

/** Removes what may be gone already, when nothing more can be done about a failure. */
export async function discard(path: string): Promise<void> {
  await unlink(path).catch(() => undefined)
}

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds)
  })
}

// Never follow a link, never wait for somebody to write into a FIFO. Windows has neither flag.
const readFlags = constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
// How systems say that what was opened or read is no regular file: a link, a directory, a socket, a FIFO.
const oddCodes = ['ELOOP', 'EMLINK', 'EISDIR', 'ENXIO', 'EAGAIN', 'ESPIPE', 'EFTYPE', 'EOPNOTSUPP']

// Most records fit at once. Buffers are used again, because allocating one per read was measurable.
const bufferSize = 8192
// What is left of a larger one, mostly at once.
const largeBufferSize = 131_072
const spare: Buffer[] = []

/** The text of a file, by three calls for all but large ones; `undefined` when there is none. */
export function readText(path: string): Promise<Found | undefined> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ENOENT') resolve(undefined)
      else if (hasCode(error, ...oddCodes)) resolve({ corrupt: 'it is not a regular file' })
      else reject(error)
    }
    fs.open(path, readFlags, (openError, fd) => {
      if (openError) return fail(openError)
      const buffer = spare.pop() ?? Buffer.allocUnsafeSlow(bufferSize)
      const finish = (error: NodeJS.ErrnoException | null, text: string): void => {
        if (spare.length < 32) spare.push(buffer)
        // Nobody waits for it: closing a file that was only read cannot lose anything.
        fs.close(fd, () => undefined)
        if (error) fail(error)
        else resolve({ text })
      }
      const chunks: Buffer[] = []
      const next = (target: Buffer): void =>
        fs.read(fd, target, 0, target.length, null, (error, count) => {
          if (error) return finish(error, '')
          // A record ends with a brace. Without one there may be more, whatever the read was short for.
          const ended = count === 0 || (count < target.length && target[count - 1] === 0x7d)
          if (ended && chunks.length === 0) return finish(null, target.toString('utf8', 0, count))
          chunks.push(Buffer.from(target.subarray(0, count)))
          if (!ended) return next(Buffer.allocUnsafe(largeBufferSize))
          finish(null, Buffer.concat(chunks).toString('utf8'))
        })
      next(buffer)
    })
  })
}

export interface Writing {
  mode: number
  /** Whether to wait until the disk has it. */
  sync: boolean
}

/** Writes a file that must not exist yet, all of it, and stamps it if it is a record's. Leaves nothing behind when it fails. */
export function writeNew(path: string, text: string, stamp: Stamp | undefined, { mode, sync }: Writing): Promise<void> {
  const times = stamp && timesOf(stamp)
  return new Promise((resolve, reject) => {
    fs.open(path, 'wx', mode, (openError, fd) => {
      if (openError) return reject(openError)
      const data = Buffer.from(text)
      const fail = (error: NodeJS.ErrnoException): void => fs.close(fd, () => fs.unlink(path, () => reject(error)))
      const write = (from: number): void =>
        fs.write(fd, data, from, data.length - from, null, (error, count) => {
          if (error) return fail(error)
          // A disk that is getting full takes a part and says so only when asked for the rest.
          if (from + count < data.length) return write(from + count)
          withMode(fd, mode, (modeError) => {
            if (modeError) return fail(modeError)
            // It may fail where a file system has no such times: then there is no stamp.
            if (times) fs.futimes(fd, times.atime, times.mtime, toDisk)
            else toDisk()
          })
        })
      const toDisk = (): void => {
        if (sync) fs.fsync(fd, (error) => (error ? fail(error) : close()))
        else close()
      }
      const close = (): void =>
        fs.close(fd, (error) => (error ? fs.unlink(path, () => reject(error)) : resolve()))
      write(0)
    })
  })
}

/** Makes renames and removals in a directory outlast a power cut. */
export async function syncDirectory(dir: string): Promise<void> {
  // Windows cannot open a directory, and does not need it.
  if (process.platform === 'win32') return
  const handle = await fs.promises.open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** Makes the directory, for its owner only whatever the umask; one that exists is left as it is. */
export async function makeDirectory(dir: string): Promise<void> {
  const made = await fs.promises.mkdir(dir, { recursive: true, mode: 0o700 })
  if (made !== undefined) await fs.promises.chmod(dir, 0o700)
}

// Which modes this process' umask lets through, learnt from the first file of each: so that only an unusual umask costs
// a call for each file. A mode is never exceeded meanwhile.
const umaskTakes = new Map<number, boolean>()

function withMode(fd: number, mode: number, done: Done): void {
  const takes = umaskTakes.get(mode)
  if (takes === false) return done(null)
  if (takes === true) return fs.fchmod(fd, mode, done)
  fs.fstat(fd, (error, stats) => {
    if (error) return done(error)
    // Windows shows other bits than were asked for.
    umaskTakes.set(mode, process.platform !== 'win32' && (stats.mode & 0o777) !== mode)
    withMode(fd, mode, done)
  })
}
