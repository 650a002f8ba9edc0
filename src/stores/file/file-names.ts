import { createHash } from 'node:crypto'
import { join, sep } from 'node:path'
import { parseStateName, stateName, type FileTimes } from './file-times.js'

/** What a file of ours is, by its name alone. */
export type Entry =
  | { readonly kind: 'record'; readonly id: string }
  /** The file of a write, which is of no use once its process has ended. */
  | { readonly kind: 'temporary'; readonly path: string }
  | { readonly kind: 'claim'; readonly id: string; readonly from: FileTimes; readonly generation: number }

/**
 * The rest of a name behind the prefix. It is anchored at both ends and begins with an id, which has one length. So a name belongs to one
 * prefix only, even where one prefix is the beginning of another.
 */
const afterPrefix = /^([0-9a-f]{64})\.(?:[0-9a-z-]+\.tmp|([0-9a-z]+-[0-9a-z]+)-(\d{1,9})\.claim)$/

const recordEnd = '.json'
const idPattern = /^[0-9a-f]{64}$/

/** A file name has 255 bytes on most systems, and the longest of ours ends with 64 + 46 of them. */
const longestPrefix = 120

/** The paths of one prefix in one directory. */
export class FileNames {
  readonly dir: string
  /** The lock on what one process at a time does for the whole directory. */
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

  /** A file that is never more than temporary. `unique` is a UUID. */
  temporary(id: string, unique: string): string {
    return `${this.#base}${id}.${unique}.tmp`
  }

  /** The temporary file of the step that takes a record from one state to the next (claims.ts). */
  step(id: string, from: FileTimes, next: FileTimes): string {
    return `${this.#base}${id}.${stateName(from)}-${stateName(next)}.tmp`
  }

  /** A claim on the step that takes a record from a state to the next one. */
  claim(id: string, from: FileTimes, generation: number): string {
    return `${this.#base}${id}.${stateName(from)}-${generation}.claim`
  }

  /** Where a file that is no record is kept for a person to look at. */
  aside(id: string, unique: string): string {
    return `${this.#base}${id}.${unique}.corrupt`
  }

  /** The lock on a record, where the file system has no hard links. */
  lock(id: string): string {
    return `${this.#base}${id}.lock`
  }

  /** The directory of the entries of an owner. The owner's text never becomes part of a path. */
  owner(owner: string): string {
    return join(this.owners, createHash('sha256').update(owner).digest('hex'))
  }

  /** The entry that says that the session of that id may be this owner's. */
  ownerEntry(ownerDir: string, id: string): string {
    return `${ownerDir}${sep}${this.#prefix}${id}`
  }

  /** `undefined`: not a file of ours, or one of another prefix. */
  parse(name: string): Entry | undefined {
    if (!name.startsWith(this.#prefix)) return undefined
    // Nearly all are records, and a listing of very many of them is a large part of an eviction.
    if (name.endsWith(recordEnd)) {
      const id = name.slice(this.#prefix.length, -recordEnd.length)
      return idPattern.test(id) ? { kind: 'record', id } : undefined
    }
    const match = afterPrefix.exec(name.slice(this.#prefix.length))
    if (!match) return undefined
    const [, id, from, generation] = match
    if (from !== undefined) return { kind: 'claim', id: id!, from: parseStateName(from), generation: Number(generation) }
    return { kind: 'temporary', path: `${this.dir}${sep}${name}` }
  }

  /** The id of an owner's entry. `undefined`: not one of ours, or one of another prefix. */
  parseOwnerEntry(name: string): string | undefined {
    const id = name.slice(this.#prefix.length)
    return name.startsWith(this.#prefix) && idPattern.test(id) ? id : undefined
  }
}

/**
 * A prefix as the beginning of a file name: legal on every system, and different for different prefixes where a file system takes `A`
 * for `a`. Only a-z, 0-9, `_` and `-` stand for themselves: a dot could make a device name of Windows (`con.`).
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
