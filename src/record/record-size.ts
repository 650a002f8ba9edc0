import type { Data, Json } from './json.js'
import { writeRecord, type SessionRecord } from './record.js'

/**
 * The size of a record's text in bytes if it is over the limit, otherwise `undefined`.
 *
 * Writing the text is what a save to memory would cost most. Most records are so small that a rough upper bound decides.
 */
export function sizeOver(limit: number, record: SessionRecord): number | undefined {
  if (sizeAtMost(record, limit) <= limit) return undefined
  const size = Buffer.byteLength(writeRecord(record))
  return size > limit ? size : undefined
}

/** An upper bound of the size of a value's JSON text, in bytes. It stops counting above the limit. */
function sizeAtMost(json: Json | Data | SessionRecord, limit: number): number {
  if (typeof json === 'string') return boundOf(json)
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

/** A character has at most six bytes in JSON text: `\u0000`. */
function boundOf(text: string): number {
  return text.length * 6 + 2
}
