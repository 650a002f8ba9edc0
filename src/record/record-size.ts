import type { Data, Json } from './json.js'
import { writeRecord, type SessionRecord } from './record.js'

/**
 * Returns the size of a record's text in bytes if it is over the limit, otherwise `undefined`.
 *
 * To write the text would be the largest cost of a save to memory. For most records, a rough upper bound is below the limit.
 */
export function sizeOver(limit: number, record: SessionRecord): number | undefined {
  if (sizeAtMost(record, limit) <= limit) return undefined
  const size = Buffer.byteLength(writeRecord(record))
  return size > limit ? size : undefined
}

/** An upper bound of the size of a value's JSON text, in bytes. It stops counting above the limit. */
function sizeAtMost(json: Json | Data | SessionRecord, limit: number): number {
  if (typeof json === 'string') return boundOf(json)
  // The longest number is like `-1.2345678901234567e-100`, and the longest word is `false`.
  if (typeof json === 'number') return 25
  if (typeof json !== 'object' || json === null) return 6
  let size = 3
  if (Array.isArray(json)) {
    for (const item of json) {
      size += 1 + sizeAtMost(item, limit)
      if (size > limit) return size
    }
    return size
  }
  for (const key in json) {
    size += 2 + boundOf(key) + sizeAtMost((json as Data)[key]!, limit)
    if (size > limit) return size
  }
  return size
}

/** An upper bound for a string: a character has at most six bytes in JSON text, `\u0000`. */
function boundOf(text: string): number {
  return text.length * 6 + 2
}
