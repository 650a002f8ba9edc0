import type { Json } from './json.js'

/*
 * The form of values whose type JSON does not have: an object with one key that starts with `$`, for example
 * `{"$date":"2026-01-01T00:00:00.000Z"}`. A plain object that looks like that is wrapped: `{"$object":{…}}`.
 */

export type JsonObject = { [key: string]: Json }

/** Reports whether a plain object looks like an encoded value of another type. */
export function looksTagged(json: JsonObject): boolean {
  const keys = Object.keys(json)
  return keys.length === 1 && keys[0]!.startsWith('$')
}

/** Sets a key. An assignment to `__proto__` would set the prototype instead. */
export function setKey(target: object, key: string, value: unknown): void {
  if (key === '__proto__') Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
  else (target as Record<string, unknown>)[key] = value
}
