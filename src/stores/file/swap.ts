import { readRecord } from '../../record.js'
import { readText } from './io.js'

/** Replaces or removes a record on the condition that it still is at a revision. */
export interface Swap {
  /**
   * Puts the temporary file in place of the record. `false`: the record has moved on or is gone. Either way, and when it
   * fails, the temporary file is used up.
   */
  replace(id: string, rev: number, unique: string): Promise<boolean>
  /** Removes the record. `false`: it has moved on or is gone. */
  remove(id: string, rev: number): Promise<boolean>
}

/** A record that has no revision, because it is gone, or is not one. */
export const nowhere = -1

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
