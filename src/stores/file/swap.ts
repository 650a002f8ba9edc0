import { readRecord } from '../../record.js'
import { readText } from './io.js'

/** Replaces or removes a record on the condition that it still is at a revision. */
export interface Swap {
  /** Writes `text`, a later revision with that deadline. `false`: the record has moved on or is gone. */
  replace(id: string, rev: number, text: string, deadline: number): Promise<boolean>
  /** Removes the record. `false`: it has moved on or is gone. */
  remove(id: string, rev: number): Promise<boolean>
  /** Takes away what it keeps for itself. */
  close(): Promise<void>
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
