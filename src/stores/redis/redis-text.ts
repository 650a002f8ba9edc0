import type { SessionRecord } from '../../record/index.js'
import type { Found } from '../../store/index.js'

/** A tombstone begins like this. A record never does. */
export const startOfTombstones = '{"removed":"'

/** The text that a removal leaves. The mark of the removal lets the store recognise it when the driver sends the command again. */
export function tombstone(mark: string): string {
  return JSON.stringify({ removed: mark })
}

/** What a text means: a tombstone is nothing. */
export function foundIn(text: string | undefined): Found<string> | undefined {
  if (text === undefined || text.startsWith(startOfTombstones)) return undefined
  return hasOwnLayout.test(text) ? { text } : { text, token: text }
}

/** How the stored text must start for the record to be unchanged. `writeRecord` puts `rev` and `write` first. */
export function startOf({ rev, write }: SessionRecord): string {
  return `{"rev":${rev},"write":${JSON.stringify(write)}`
}

/** Text that `startOf` of its record begins. For any other layout, the whole text is compared. */
const hasOwnLayout = /^\{"rev":\d+,"write":"[^"\\]*"/
