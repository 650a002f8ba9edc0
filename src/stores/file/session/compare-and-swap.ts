import type { Stats } from 'node:fs'
import { readRecord, type SessionRecord } from '../../../record/index.js'
import { isForeign } from '../directory.js'
import type { FileNames } from '../file-names.js'
import { hasTimes, isSameState, timesOfRecord, type FileTimes } from '../file-times.js'
import { lstat, type WriteOptions } from '../fs-calls.js'
import { readFile, type Unreadable } from '../read-file.js'

/** The settings that the parts of a file store share. */
export interface FileContext {
  readonly names: FileNames
  readonly writeOptions: WriteOptions
  /** The size in bytes over which a file cannot be a record. */
  readonly largest: number
}

/**
 * Creates a record's file, or replaces or removes it if it holds a known state, in one atomic step across all processes.
 *
 * claims.ts implements this with hard links, lock-files.ts without.
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

/** Reports whether a file holds the state `from` of a record. */
export async function holdsState(path: string, id: string, from: FileTimes, largest: number): Promise<boolean> {
  const stats = await lstat(path)
  if (!stats || isForeign(stats)) return false
  if (hasTimes(stats, from)) return true
  // It may still hold that state: a person edited or copied the file, or its file system does not keep such times. Only its text shows it.
  const stored = await readStored(path, id, largest)
  return stored !== undefined && 'record' in stored && isSameState(timesOfRecord(stored.record), from)
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
