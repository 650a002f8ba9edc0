import fs, { type Stats } from 'node:fs'
import { join } from 'node:path'
import { reasonOf } from '../../../errors.js'
import { readRecord, type SessionRecord } from '../../../record/index.js'
import { isGone, isListed } from '../../../store/index.js'
import { Directory, namesIn } from '../directory.js'
import { encodePrefix, FileNames } from '../file-names.js'
import { isForeign, lstat, readFile } from '../fs-calls.js'
import { ownerHashPattern } from '../session/owner-index.js'

/** One thing that `inspectDirectory` has found. */
export type Finding =
  | { readonly kind: 'session' | 'expired'; readonly record: SessionRecord }
  /** A file of another prefix. */
  | { readonly kind: 'other prefix' }
  | Problem

export interface Problem {
  readonly kind: 'foreign' | 'corrupt' | 'leftover' | 'rights' | 'index'
  /** The name of the file, in the directory. */
  readonly name: string
  readonly problem: string
}

/** Bits of a mode: what the group and other users may do. */
const writableByOthers = 0o022
const readableByAll = 0o004
const searchableByAll = 0o001

// Ages in milliseconds from which something is left over: the sweep removes temporary files and claims after an hour, and entries after two.
const oldFile = 3_600_000
const oldEntry = 2 * 3_600_000
/** A lock is renewed every few seconds. */
const oldLock = 60_000

/** The size in bytes over which a file is not read: larger than the records of any application. */
const largest = 64 * 1024 * 1024

const idSource = '[0-9a-f]{64}'
const nameOfAnyPrefix = new RegExp(`^[a-z0-9_%-]*${idSource}\\.(?:json|lock|[0-9a-z-]+\\.(?:tmp|claim|corrupt))$`)

/**
 * Looks at every file in the directory of a file store and changes nothing. (The store itself moves what is not a record aside as soon as it reads
 * it.)
 *
 * @param now the present, in milliseconds since the epoch.
 */
export async function* inspectDirectory(dir: string, prefix: string, now = Date.now()): AsyncGenerator<Finding> {
  const names = new FileNames(dir, prefix)
  const stats = await fs.promises.stat(dir)
  yield* inspectRights(dir)
  const encodedPrefix = encodePrefix(prefix)
  const isOpenToAll = (stats.mode & searchableByAll) !== 0
  for await (const { name } of await fs.promises.opendir(dir)) {
    if (name === 'owners') continue
    const entry = names.parse(name)
    if (entry?.kind === 'record') yield* inspectRecord(names, entry.id, name, isOpenToAll, now)
    else if (entry) yield* inspectLeftover(dir, name, now - oldFile, 'a process that was killed left it, and the application removes it in time')
    else if (name === 'sweep.lock') yield* inspectLeftover(dir, name, now - oldLock, 'a process that was killed left it, and the next cleanup takes it over')
    else if (!nameOfAnyPrefix.test(name)) yield { kind: 'foreign', name, problem: 'koa-keepsake has not made it: move it out of this directory' }
    else if (!isOfPrefix(name, encodedPrefix)) yield { kind: 'other prefix' }
    else if (name.endsWith('.corrupt')) yield { kind: 'leftover', name, problem: 'it was found instead of a record and moved aside: look at it, and delete it' }
    else yield* inspectLeftover(dir, name, now - oldLock, 'a process that was killed left this lock, and the next one takes it over')
  }
  yield* inspectOwners(names, now)
}

async function* inspectRecord(names: FileNames, id: string, name: string, isOpenToAll: boolean, now: number): AsyncGenerator<Finding> {
  const path = names.record(id)
  const content = await readFile(path, largest).catch((error: unknown) => ({ corrupt: reasonOf(error) }))
  if (!content) return
  if ('corrupt' in content) {
    const isOthers = 'isForeign' in content && content.isForeign
    yield { kind: isOthers ? 'rights' : 'corrupt', name, problem: content.corrupt }
    return
  }
  if (process.platform !== 'win32') yield* inspectRecordRights(name, content.stats, isOpenToAll)
  const record = parse(content.text, id)
  if (typeof record === 'string') yield { kind: 'corrupt', name, problem: record }
  else if (isGone(record, now)) yield { kind: 'expired', record }
  else if (isListed(record, now)) {
    yield { kind: 'session', record }
    if (record.owner === undefined || (await lstat(names.ownerEntry(names.owner(record.owner), id)))) return
    // It may have ended since it was read.
    if (await lstat(path)) yield { kind: 'index', name, problem: 'the index of owners does not list it, so that its owner cannot end it from another device: end it, or let its user log in again' }
  }
}

/** Returns the record in a text, or the reason why the text is not a record. */
function parse(text: string, id: string): SessionRecord | string {
  try {
    const reading = readRecord(text, id, largest)
    return 'corrupt' in reading ? reading.corrupt : reading.record
  } catch (error) {
    return reasonOf(error)
  }
}

async function* inspectOwners(names: FileNames, now: number): AsyncGenerator<Finding> {
  for await (const owner of namesIn(names.owners)) {
    const name = join('owners', owner)
    if (!ownerHashPattern.test(owner)) {
      yield { kind: 'foreign', name, problem: 'koa-keepsake has not made it: move it out of this directory' }
      continue
    }
    for await (const entry of namesIn(join(names.owners, owner))) {
      const id = names.parseOwnerEntry(entry)
      if (id === undefined || (await lstat(names.record(id)))) continue
      yield* inspectLeftover(names.dir, join(name, entry), now - oldEntry, 'its session has ended, and the application removes it in time')
    }
  }
}

async function* inspectRights(dir: string): AsyncGenerator<Finding> {
  try {
    await new Directory(dir).check()
  } catch (error) {
    yield { kind: 'rights', name: '.', problem: reasonOf(error) }
  }
}

function* inspectRecordRights(name: string, { mode }: Stats, isOpenToAll: boolean): Generator<Finding> {
  const shown = (mode & 0o777).toString(8)
  if ((mode & writableByOthers) !== 0) yield { kind: 'rights', name, problem: `other users may write to it (mode ${shown}): chmod go-w` }
  else if (isOpenToAll && (mode & readableByAll) !== 0) yield { kind: 'rights', name, problem: `every user may read it (mode ${shown}): chmod o-r, or chmod 700 for the directory` }
}

/** Reports a file that was last changed before that moment. */
async function* inspectLeftover(dir: string, name: string, before: number, problem: string): AsyncGenerator<Finding> {
  const stats = await lstat(join(dir, name))
  if (stats && !isForeign(stats) && stats.ctimeMs < before) yield { kind: 'leftover', name, problem }
}

function isOfPrefix(name: string, prefix: string): boolean {
  return name.startsWith(prefix) && new RegExp(`^${idSource}\\.`).test(name.slice(prefix.length))
}
