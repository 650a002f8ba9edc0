import { types } from 'node:util'
import { SessionError } from './errors.js'
import type { Json } from './store.js'

/**
 * Values of a session to and from JSON.
 *
 * Kinds that JSON does not know stand as an object with one key that starts with `$`, for example
 * `{"$date":"2026-01-01T00:00:00.000Z"}`. A plain object that happens to look like that is wrapped: `{"$object":{…}}`.
 * Whatever would come out different from what was put in is refused.
 */

/** Where a value stands: a linked list from the innermost container out, so that a path is only built for an error. */
interface Place {
  readonly outer: Place | undefined
  readonly key: string
  readonly container: object | undefined
}

// Deep enough for any document, far from where the engine's own recursion ends.
const maxDepth = 500

/**
 * The JSON form of the value under a top-level key.
 *
 * @throws SessionError `ERR_SESSION_VALUE`, which names the path of the value that cannot be stored.
 */
export function encode(key: string, value: unknown): Json {
  return encodeAt(value, { outer: undefined, key, container: undefined }, 0)
}

/** The value whose JSON form is given: each call makes a new one, which may be changed in place. */
export function decode(json: Json): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(decode)
  const keys = Object.keys(json)
  if (keys.length === 1 && keys[0]!.startsWith('$')) {
    const value = decodeKind(keys[0]!, json[keys[0]!]!)
    if (value !== undefined) return value
  }
  return decodeObject(json, {})
}

function encodeAt(value: unknown, place: Place, depth: number): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (Object.is(value, -0)) return { $number: '-0' }
      if (!Number.isFinite(value)) throw refused(place, String(value), 'store null or a string instead')
      return value
    case 'bigint':
      return { $bigint: String(value) }
    case 'object':
      return value === null ? null : encodeObject(value, place, depth + 1)
    case 'undefined':
      throw refused(place, 'undefined', 'delete the key, or store null')
    default:
      throw refused(place, `a ${typeof value}`, 'store plain data')
  }
}

function encodeObject(value: object, place: Place, depth: number): Json {
  if (depth > maxDepth) throw refused(place, `a value nested deeper than ${maxDepth} levels`, 'store a flatter one')
  for (let at: Place | undefined = place; at; at = at.outer) {
    if (at.container === value) throw refused(place, 'a reference to something that contains it', 'store a copy of what is needed')
  }
  const inside = (item: unknown, key: string) => encodeAt(item, { outer: place, key, container: value }, depth)
  if (Array.isArray(value)) return encodeArray(value, place, inside)
  if (types.isDate(value) && isExactly(value, 'Date')) {
    if (Number.isNaN(value.getTime())) throw refused(place, 'an invalid Date', 'store null instead')
    return { $date: value.toISOString() }
  }
  if (types.isMap(value) && isExactly(value, 'Map')) {
    return { $map: [...value].map(([key, item], at) => [inside(key, `[key ${at}]`), inside(item, `[value ${at}]`)]) }
  }
  if (types.isSet(value) && isExactly(value, 'Set')) {
    return { $set: [...value].map((item, at) => inside(item, `[${at}]`)) }
  }
  if (types.isUint8Array(value)) {
    if (Buffer.isBuffer(value)) return { $buffer: value.toString('base64') }
    if (isExactly(value, 'Uint8Array')) return { $bytes: Buffer.from(value.buffer, value.byteOffset, value.byteLength).toString('base64') }
  }
  if (value instanceof URL) return { $url: value.href }
  return encodePlain(value, place, inside)
}

function encodeArray(value: unknown[], place: Place, inside: (item: unknown, key: string) => Json): Json {
  const result: Json[] = []
  for (let at = 0; at < value.length; at++) {
    if (!(at in value)) throw refused(place, `an array with a hole at ${at}`, 'fill it with null')
    result.push(inside(value[at], `[${at}]`))
  }
  if (Reflect.ownKeys(value).length !== value.length + 1) throw refused(place, 'an array with properties of its own', 'store an object')
  return result
}

function encodePlain(value: object, place: Place, inside: (item: unknown, key: string) => Json): Json {
  const prototype: unknown = Object.getPrototypeOf(value)
  if (!isPlainPrototype(prototype)) {
    throw refused(place, `an instance of ${nameOf(value)}`, 'store its data as a plain object')
  }
  // Without a prototype, so that a key named __proto__ is a key like any other.
  const result = Object.create(null) as { [key: string]: Json }
  const keys = Reflect.ownKeys(value)
  for (const key of keys) {
    if (typeof key === 'symbol') throw refused(place, 'an object with a symbol as key', 'use strings as keys')
    const property = Reflect.getOwnPropertyDescriptor(value, key)
    if (!property?.enumerable || !('value' in property)) {
      throw refused({ outer: place, key, container: value }, 'an accessor or a hidden property', 'store a plain value')
    }
    result[key] = inside(property.value, key)
  }
  if (prototype === null) return { $dict: result }
  return keys.length === 1 && String(keys[0]).startsWith('$') ? { $object: result } : result
}

/** `undefined`: not the form of such a value (a person edited the file), so it is taken for the plain object it is. */
function decodeKind(kind: string, json: Json): unknown {
  switch (kind) {
    case '$object':
      return isObject(json) ? decodeObject(json, {}) : undefined
    case '$dict':
      return isObject(json) ? decodeObject(json, Object.create(null) as object) : undefined
    case '$number':
      return json === '-0' ? -0 : undefined
    case '$bigint':
      return typeof json === 'string' && /^-?\d+$/.test(json) ? BigInt(json) : undefined
    case '$date':
      return typeof json === 'string' && !Number.isNaN(Date.parse(json)) ? new Date(json) : undefined
    case '$map':
      return Array.isArray(json) && json.every(isPair) ? new Map(json.map(([key, item]) => [decode(key), decode(item)])) : undefined
    case '$set':
      return Array.isArray(json) ? new Set(json.map(decode)) : undefined
    case '$bytes':
      return typeof json === 'string' ? new Uint8Array(Buffer.from(json, 'base64')) : undefined
    case '$buffer':
      return typeof json === 'string' ? Buffer.from(json, 'base64') : undefined
    case '$url':
      return typeof json === 'string' && URL.canParse(json) ? new URL(json) : undefined
    default:
      return undefined
  }
}

function decodeObject(json: { [key: string]: Json }, target: object): object {
  for (const key of Object.keys(json)) {
    const value = decode(json[key]!)
    if (key === '__proto__') Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true })
    else (target as Record<string, unknown>)[key] = value
  }
  return target
}

function isObject(json: Json): json is { [key: string]: Json } {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function isPair(json: Json): json is [Json, Json] {
  return Array.isArray(json) && json.length === 2
}

/** A subclass, or one with properties of its own, would come out as something else. */
function isExactly(value: object, name: string): boolean {
  return isPrototypeOf(Object.getPrototypeOf(value), name) && (name === 'Uint8Array' || Reflect.ownKeys(value).length === 0)
}

/** By name: the built-in of another realm (a `node:vm` context, as some test runners use) is as good as ours. */
function isPrototypeOf(prototype: unknown, name: string): boolean {
  return (prototype as { constructor?: { name?: unknown } } | null)?.constructor?.name === name
}

function isPlainPrototype(prototype: unknown): boolean {
  if (prototype === null || prototype === Object.prototype) return true
  return Object.getPrototypeOf(prototype) === null && isPrototypeOf(prototype, 'Object')
}

function nameOf(value: object): string {
  const { constructor } = value as { constructor?: unknown }
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'a class'
}

function refused(place: Place, what: string, advice: string): SessionError {
  return new SessionError('ERR_SESSION_VALUE', `${pathOf(place)}: ${what} cannot be stored: ${advice}`)
}

function pathOf(place: Place): string {
  const { outer, key } = place
  if (!outer) return key
  if (key.startsWith('[') && key.endsWith(']')) return pathOf(outer) + key
  return /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(key) ? `${pathOf(outer)}.${key}` : `${pathOf(outer)}[${JSON.stringify(key)}]`
}
