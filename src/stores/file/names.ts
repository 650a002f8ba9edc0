import { createHash } from 'node:crypto'
import { join, sep } from 'node:path'

/** What a file of ours is, by its name alone. */
export type Entry =
  | { kind: 'record'; id: string }
  /** Of a write or an owner (owners.ts), which is of no use once its process is gone. */
  | { kind: 'passing'; path: string }
  | { kind: 'claim'; id: string; rev: number; generation: number }

/** The paths of one prefix in one directory. */
export interface Names {
  readonly dir: string
  record(id: string): string
  /** What is to replace a record at a revision; `unique` is a UUID. */
  temporary(id: string, rev: number, unique: string): string
  owner(unique: string): string
  /** A claim on the step that takes a record from a revision to a later one (claims.ts). */
  claim(id: string, rev: number, generation: number): string
  /** Where what was found in place of a record is kept for a person to look at. */
  aside(id: string, unique: string): string
  /** The lock on a record, where the file system has no links. */
  lock(id: string): string
  /** The lock on what is done for the directory as a whole. */
  sweepLock: string
  /** `undefined`: not a file of ours, or one of another prefix. */
  parse(name: string): Entry | undefined
}

const isId = /^[0-9a-f]{64}$/
// Anchored at both ends, with an id of one length: so a name belongs to one prefix only, even where one prefix is the
// beginning of another.
const afterPrefix = /^([0-9a-f]{64})\.(?:(json)|\d{1,16}-[0-9a-f-]{36}\.tmp|(\d{1,16})-(\d{1,9})\.claim)$|^[0-9a-f-]{36}\.owner$/

export function namesOf(dir: string, prefix: string): Names {
  const start = encodePrefix(prefix)
  const base = `${dir}${sep}${start}`
  return {
    dir,
    record: (id) => `${base}${id}.json`,
    temporary: (id, rev, unique) => `${base}${id}.${rev}-${unique}.tmp`,
    owner: (unique) => `${base}${unique}.owner`,
    claim: (id, rev, generation) => `${base}${id}.${rev}-${generation}.claim`,
    aside: (id, unique) => `${base}${id}.${unique}.corrupt`,
    lock: (id) => `${base}${id}.lock`,
    sweepLock: join(dir, 'sweep.lock'),
    parse(name) {
      if (!name.startsWith(start)) return undefined
      const match = afterPrefix.exec(name.slice(start.length))
      if (!match) return undefined
      const [, id, json, rev, generation] = match
      if (json !== undefined) return { kind: 'record', id: id! }
      if (rev !== undefined) return { kind: 'claim', id: id!, rev: Number(rev), generation: Number(generation) }
      return { kind: 'passing', path: `${dir}${sep}${name}` }
    }
  }
}

/** An id becomes part of a path: anything but the hash it is said to be is refused. */
export function assertId(id: string): void {
  if (!isId.test(id)) throw new TypeError('an id must be 64 lower-case hexadecimal digits, the SHA-256 of a sid')
}

/**
 * A prefix as the beginning of a file name: legal on every system, and different for different prefixes on file systems
 * that take `A` for `a` too. Only a-z, 0-9, `_` and `-` stand for themselves: a dot could make a device name of Windows
 * (`con.`).
 */
export function encodePrefix(prefix: string): string {
  const bytes = Buffer.from(prefix)
  let encoded = ''
  for (const byte of bytes) {
    const character = String.fromCharCode(byte)
    encoded += /[a-z0-9_-]/.test(character) ? character : `%${byte.toString(16).padStart(2, '0')}`
  }
  // A file name has 255 bytes on most systems, and the longest of ours ends with 64 + 58 of them; and half a surrogate pair has no
  // UTF-8 form. No encoded prefix begins with two percent signs.
  if (encoded.length <= 120 && bytes.toString() === prefix) return encoded
  return `%%${createHash('sha256').update(Buffer.from(prefix, 'utf16le')).digest('hex')}`
}
