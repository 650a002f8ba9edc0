import type { SessionRecord } from '../../record/index.js'
import type { Found } from '../../store/index.js'

/** The beginning of every tombstone, and of no record. */
export const startOfTombstones = '{"removed":"'

/** The text that a removal leaves. The mark of the removal lets the store recognise it when the driver sends the command again. */
export function tombstone(mark: string): string {
  return JSON.stringify({ removed: mark })
}

/** The mark of the removal that left a tombstone. `undefined`: the text is none. */
export function removalIn(text: string): string | undefined {
  return wholeTombstone.exec(text)?.[1]
}

const wholeTombstone = /^\{"removed":"([a-z0-9 -]+)"\}$/

/** The record's text that a key holds. `undefined`: it holds nothing, or a tombstone. */
export function foundIn(text: string | undefined): Found<string> | undefined {
  if (text === undefined || text.startsWith(startOfTombstones)) return undefined
  return hasOwnLayout.test(text) ? { text } : { text, token: text }
}

/** The beginning that the stored text has as long as the record is unchanged: `writeRecord` puts `rev` and `write` first. */
export function startOf({ rev, write }: SessionRecord): string {
  return `{"rev":${rev},"write":${JSON.stringify(write)}`
}

/** Matches a text with the layout of `writeRecord`, which begins with `startOf` of its record. For any other layout, the whole text is compared. */
const hasOwnLayout = /^\{"rev":\d+,"write":"[^"\\]*"/
