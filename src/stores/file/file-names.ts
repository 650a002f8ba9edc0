import { createHash } from 'node:crypto'
import { join, sep } from 'node:path'
import { isId } from '../../store/index.js'
import { parseStateName, stateName, type FileTimes } from './file-times.js'

/** The kind of a file of ours, which its name shows. */
export type Entry =
  | { readonly kind: 'record'; readonly id: string }
  /** A file that one write uses. It is useless once the process of that write has ended. */
  | { readonly kind: 'temporary'; readonly path: string }
  | { readonly kind: 'claim'; readonly id: string; readonly from: FileTimes; readonly generation: number }

/**
 * Matches the rest of a name after the prefix. It begins with an id, which always has the same length. So a name belongs to one prefix only,
 * even if another prefix begins with it.
 */
const afterPrefix = /^([0-9a-f]{64})\.(?:[0-9a-z-]+\.tmp|([0-9a-z]+-[0-9a-z]+)-(\d{1,9})\.claim)$/

const recordEnd = '.json'

/** The longest encoded prefix in bytes. A file name may have 255 bytes on most systems, and the rest of our longest names has 64 + 46. */
const longestPrefix = 120

/** The paths of one prefix in one directory. */
export class FileNames {
  readonly dir: string
  /** The lock of the work that only one process at a time does for the whole directory. */
  readonly sweepLock: string
  /** The directory of the index of owners (owner-index.ts). */
  readonly owners: string
  readonly #prefix: string
  readonly #base: string

  constructor(dir: string, prefix: string) {
    this.dir = dir
    this.sweepLock = join(dir, 'sweep.lock')
    this.owners = join(dir, 'owners')
    this.#prefix = encodePrefix(prefix)
    this.#base = `${dir}${sep}${this.#prefix}`
  }

  record(id: string): string {
    return `${this.#base}${id}${recordEnd}`
  }

  /** A temporary file. `unique` is a UUID. */
  temporary(id: string, unique: string): string {
    return `${this.#base}${id}.${unique}.tmp`
  }

  /** The temporary file with the next state of a record (claims.ts). */
  step(id: string, from: FileTimes, next: FileTimes): string {
    return `${this.#base}${id}.${stateName(from)}-${stateName(next)}.tmp`
  }

  /** A claim on the step that takes a record from the state `from` to its next one (claims.ts). */
  claim(id: string, from: FileTimes, generation: number): string {
    return `${this.#base}${id}.${stateName(from)}-${generation}.claim`
  }

  /** The name to which a file that is not a record is moved, so that a person can look at it. */
  aside(id: string, unique: string): string {
    return `${this.#base}${id}.${unique}.corrupt`
  }

  /** The lock of a record, for file systems without hard links. */
  lock(id: string): string {
    return `${this.#base}${id}.lock`
  }

  /** The directory of the entries of an owner. The owner's text never becomes part of a path. */
  owner(owner: string): string {
    return join(this.owners, createHash('sha256').update(owner).digest('hex'))
  }

  /** The entry of the index which says that the session of that id may belong to the owner. */
  ownerEntry(ownerDir: string, id: string): string {
    return `${ownerDir}${sep}${this.#prefix}${id}`
  }

  /** Parses a file name. `undefined`: it is not a file of ours, or has another prefix. */
  parse(name: string): Entry | undefined {
    if (!name.startsWith(this.#prefix)) return undefined
    // Records first, without the regular expression: nearly all files are records, and parsing their names is a large part of an eviction.
    if (name.endsWith(recordEnd)) {
      const id = name.slice(this.#prefix.length, -recordEnd.length)
      return isId(id) ? { kind: 'record', id } : undefined
    }
    const match = afterPrefix.exec(name.slice(this.#prefix.length))
    if (!match) return undefined
    const [, id, from, generation] = match
    if (from !== undefined) return { kind: 'claim', id: id!, from: parseStateName(from), generation: Number(generation) }
    return { kind: 'temporary', path: `${this.dir}${sep}${name}` }
  }

  /** Parses the name of an entry and returns the id. `undefined`: it is not an entry of ours, or has another prefix. */
  parseOwnerEntry(name: string): string | undefined {
    const id = name.slice(this.#prefix.length)
    return name.startsWith(this.#prefix) && isId(id) ? id : undefined
  }
}

/**
 * Encodes a prefix as the beginning of a file name that is legal on every system. Different prefixes stay different on file systems that
 * ignore case. Only a-z, 0-9, `_` and `-` are not encoded: with a dot, a prefix could be a device name of Windows (`con.`).
 */
export function encodePrefix(prefix: string): string {
  const bytes = Buffer.from(prefix)
  let encoded = ''
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    encoded += /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
  }
  // Half a surrogate pair has no UTF-8 form.
  if (encoded.length <= longestPrefix && bytes.toString() === prefix) return encoded
  // No encoded prefix begins with two percent signs.
  return `%%${createHash('sha256').update(Buffer.from(prefix, 'utf16le')).digest('hex')}`
}
