import { isDataObject } from '../checks.js'
import { loadDriver } from '../stores/load-driver.js'
import { warnOnce } from '../warn-once.js'

/** A function like `decode` of `@msgpack/msgpack`. */
export type MsgpackDecode = (bytes: Uint8Array, options: { useBigInt64: true }) => unknown

/** The first byte of a record that Flask-Session wrote as JSON: `{`. In msgpack, it would be the number 123. */
const openingBrace = 0x7b

/**
 * Reads a record of Flask-Session, which is msgpack or JSON. `undefined`, and a warning, if it is neither.
 *
 * msgpack has types that JSON does not have: a timestamp becomes a `Date` (without its microseconds), bytes become a `Uint8Array`, and a 64-bit
 * integer that JavaScript's numbers cannot hold becomes a `bigint`. NaN and infinity become `null`, as in Flask-Session's own JSON.
 */
export function readFlaskRecord(bytes: Uint8Array | string, decodeMsgpack: MsgpackDecode | undefined): { [key: string]: unknown } | undefined {
  try {
    const isJson = typeof bytes === 'string' || bytes[0] === openingBrace
    const value: unknown = isJson ? JSON.parse(textOf(bytes)) : decodeMsgpack?.(bytes, { useBigInt64: true })
    if (isDataObject(value)) return plain(value) as { [key: string]: unknown }
  } catch {
    // It is not a record: the warning below says so.
  }
  warnOnce(
    'the bridge "flask-session" found a record that it cannot read, and its user is logged out: it reads msgpack and, with format: \'json\', only JSON; ' +
      'Flask-Session before 0.7 wrote pickles'
  )
  return undefined
}

/** @throws Error that says what to install. */
export function loadMsgpack(where: string): MsgpackDecode {
  const { driver } = loadDriver(where, ['@msgpack/msgpack'])
  return (driver as { decode: MsgpackDecode }).decode
}

function textOf(bytes: Uint8Array | string): string {
  return typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8')
}

/** Converts bigints to numbers where possible: with `useBigInt64`, every 64-bit integer is a bigint, even a time in milliseconds. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value
  if (typeof value === 'number') return Number.isFinite(value) ? value : null
  if (Array.isArray(value)) return value.map(plain)
  if (!isDataObject(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, plain(inner)]))
}
