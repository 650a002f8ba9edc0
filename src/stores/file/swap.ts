import { readRecord } from '../../record.js'
import { ignore, lstat, readText } from './io.js'
import { isStamped, type Stamp } from './stamp.js'

/** Replaces or removes a record on the condition that it still is in a known state. */
export interface Swap {
  /** Writes `text`, which is the record's later state `to`. `false`: it has moved on or is gone. */
  replace(id: string, from: Stamp, text: string, to: Stamp): Promise<boolean>
  /** Removes the record. `false`: it has moved on or is gone. */
  remove(id: string, from: Stamp): Promise<boolean>
  /** Takes away what it keeps for itself. */
  close(): Promise<void>
}

/** A record that has no revision, because it is gone, or is not one. */
export const nowhere = -1

/** Whether the record's file still holds the state that was read. */
export async function isAt(path: string, id: string, from: Stamp): Promise<boolean> {
  const stats = await lstat(path).catch(ignore('ENOENT'))
  return stats !== undefined && (isStamped(stats, from) || (await revisionAt(path, id)) === from.rev)
}

/** The revision that a record's file is at. */
export async function revisionAt(path: string, id: string): Promise<number> {
  const found = await readText(path)
  if (!found || 'corrupt' in found) return nowhere
  try {
    const reading = readRecord(found.text, id)
    return 'record' in reading ? reading.record.rev : nowhere
  } catch {
    // Of a newer version: not for us to replace.
    return nowhere
  }
}
