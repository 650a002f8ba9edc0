import type { Stats } from 'node:fs'
import { readRecord, type SessionRecord } from '../../record/index.js'
import { isForeign } from './directory.js'
import type { FileNames } from './file-names.js'
import { hasTimes, isSameState, timesOf, type FileTimes } from './file-times.js'
import { lstat, type Writing } from './fs-calls.js'
import { readFile, type Unreadable } from './read-file.js'

/** What every part of a file store needs to know about its files. */
export interface FileContext {
  readonly names: FileNames
  readonly writing: Writing
  /** The size in bytes over which a file is no record. */
  readonly largest: number
}

/**
 * Creates, replaces or removes the file of a record on the condition that it is in a known state, in one atomic step across all processes.
 *
 * claims.ts does it with hard links, lock-files.ts without.
 */
export interface CompareAndSwap {
  /**
   * Stores a new record. `false`: the id is taken. It rejects with `ENOENT` when the directory is missing.
   *
   * @param began when the caller began, in milliseconds since the epoch.
   */
  create(id: string, text: string, times: FileTimes, began: number): Promise<boolean>
  /** Replaces the record that is in the state `from`. `false`: it is in another state or gone. */
  replace(id: string, from: FileTimes, text: string, times: FileTimes): Promise<boolean>
  /** Removes the record that is in the state `from`. `false`: it is in another state or gone. */
  remove(id: string, from: FileTimes): Promise<boolean>
}

/** Reports whether a file holds that state of a record. */
export async function isAt(path: string, id: string, from: FileTimes, largest: number): Promise<boolean> {
  const stats = await lstat(path)
  if (!stats || isForeign(stats)) return false
  if (hasTimes(stats, from)) return true
  // A person edited or copied the file, its file system keeps no such times, or it holds another state: only its text says which.
  const stored = await readStored(path, id, largest)
  return stored !== undefined && 'record' in stored && isSameState(timesOf(stored.record), from)
}

/** The record in a file. `undefined`: there is none, or it is one of a newer version, which this version must leave alone. */
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
