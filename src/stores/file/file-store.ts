import { resolve } from 'node:path'
import { isCount, isPositive, OptionChecks, quote } from '../../checks.js'
import { createStore, type SessionStore } from '../../store/index.js'
import { FileBackend, type FileBackendOptions } from './file-backend.js'

export interface FileStoreOptions {
  /**
   * The directory, relative to the working directory at the moment when the store is made. The store creates it with mode 0700 if it is
   * missing. It refuses a directory that belongs to another user (other than root) or to which other users may write. @default 'sessions'
   */
  dir?: string | undefined
  /**
   * The maximum number of sessions. Over it, sessions are removed in the background, down to 90 %: expired ones first, then sessions
   * without an owner, then owned ones; within a class, those whose deadline is nearest. `0`: no limit. @default 10_000
   */
  threshold?: number | undefined
  /** The mode of the files. The umask does not change it. A string is octal: `'600'`, `'0o600'`. @default 0o600 */
  mode?: number | string | undefined
  /** How often expired sessions are removed, in milliseconds. @default 900_000 (15 minutes) */
  sweepEvery?: number | undefined
  /**
   * The durability of an acknowledged write. `'process'`: it survives the end of the process. `'power'`: it survives a power failure too, but
   * each write waits for the disk. @default 'process'
   */
  durability?: 'process' | 'power' | undefined
  /**
   * How processes that share the directory exclude each other. `'auto'`: by hard links, or by lock files if the file system has no hard links.
   * `'lockfile'`: always by lock files. All processes must use the same value. @default 'auto'
   */
  locking?: 'auto' | 'lockfile' | undefined
}

const optionNames = Object.keys({ dir: 0, threshold: 0, mode: 0, sweepEvery: 0, durability: 0, locking: 0 } satisfies {
  [Name in keyof Required<FileStoreOptions>]: 0
})

/**
 * Keeps sessions in a directory, one JSON file each. Any number of processes of one machine may share it.
 *
 * @example
 * app.use(session({ store: fileStore({ dir: 'var/sessions', threshold: 5000 }) }))
 */
export function fileStore(options: FileStoreOptions = {}): SessionStore {
  const checked = check(options)
  return createStore({
    name: 'file',
    backend: (scope, closing) => new FileBackend(checked, scope, closing),
    backendName: () => `files in ${checked.dir}`,
    whenSlow: 'look at the disk or the network file system, and at what else keeps the thread pool of Node busy (UV_THREADPOOL_SIZE)',
    advice: (error) => adviceFor(error, checked.dir)
  })
}

function check(options: FileStoreOptions): FileBackendOptions {
  const where = 'fileStore(options)'
  if (typeof options === 'string') throw new TypeError(`${where}: expected an object of options, got a string: write fileStore({ dir: ${quote(options)} })`)
  const checks = new OptionChecks(where)
  checks.names(options, optionNames)
  const { dir = 'sessions', threshold = 10_000, mode = 0o600, sweepEvery = 900_000, durability = 'process', locking = 'auto' } = options
  checks.option('dir', dir, typeof dir === 'string' && dir !== '' && !dir.includes('\0'), 'the path of a directory')
  checks.option('threshold', threshold, isCount(threshold), 'a whole number (0 = no limit)')
  checks.option('sweepEvery', sweepEvery, isPositive(sweepEvery), 'a number of milliseconds above 0')
  checks.option('durability', durability, durability === 'process' || durability === 'power', "'process' or 'power'")
  checks.option('locking', locking, locking === 'auto' || locking === 'lockfile', "'auto' or 'lockfile'")
  const bits = modeBits(mode)
  checks.option('mode', mode, bits !== undefined, "0o400 to 0o777 with the owner's right to read, or octal digits such as '600'")
  checks.throwIfAny()
  return { dir: resolve(dir), threshold, mode: bits!, sweepEvery, sync: durability === 'power', locking }
}

function modeBits(mode: unknown): number | undefined {
  const bits = typeof mode === 'string' && /^(0o?)?[0-7]{3}$/.test(mode) ? Number.parseInt(mode.replace(/^0o?/, ''), 8) : mode
  // 600 without 0o is over 0o777. And the store must be able to read its files.
  return isCount(bits) && bits <= 0o777 && (bits & 0o400) !== 0 ? bits : undefined
}

/** Advice for an operator about a failure of the file system. */
function adviceFor(error: unknown, dir: string): string | undefined {
  switch ((error as NodeJS.ErrnoException | null)?.code) {
    case 'EMFILE':
    case 'ENFILE':
      return 'raise the limit of open files, for example with `ulimit -n`'
    case 'ENOSPC':
    case 'EDQUOT':
      return `free some room on the disk or in the quota that holds ${dir}`
    case 'EACCES':
    case 'EPERM':
      return `let the user that runs this process read and write ${dir}`
    case 'EROFS':
      return `${dir} is on a file system that is mounted read-only, mount it for writing`
    case 'ENOTDIR':
      return `${dir} or something above it is not a directory, choose another \`dir\``
    default:
      return undefined
  }
}
