import { types } from 'node:util'
import { SessionError } from '../errors.js'
import { maxDepth, type Json } from './json.js'
import { looksTagged, setKey, type JsonObject } from './tagged.js'

/** The path from the top-level key to the current value. `encode` reuses one object for all values, because only an error reads it. */
interface Path {
  /** The top-level key, then the keys inside: numbers for items of arrays, maps and sets. */
  readonly keys: (string | number)[]
  /** The objects to which these keys belong, from the outermost inwards. */
  readonly containers: object[]
}

/**
 * Encodes a value as JSON that shares no object with it. It refuses a value that would not be decoded as the same value.
 *
 * @param key the top-level key of the value, for errors.
 * @throws SessionError `ERR_SESSION_VALUE`, which names the path of the value that cannot be stored.
 */
export function encode(key: string, value: unknown): Json {
  return encodeValue(value, { keys: [key], containers: [] }, 0)
}

function encodeValue(value: unknown, path: Path, depth: number): Json {
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value
    case 'number':
      if (!Number.isFinite(value)) throw refused(path, depth, String(value), 'store null or a string instead')
      return Object.is(value, -0) ? { $number: '-0' } : value
    case 'bigint':
      return { $bigint: String(value) }
    case 'object':
      return value === null ? null : encodeObject(value, path, depth)
    case 'undefined':
      throw refused(path, depth, 'undefined', 'delete the key, or store null')
    default:
      throw refused(path, depth, `a ${typeof value}`, 'store plain data')
  }
}

function encodeObject(value: object, path: Path, depth: number): Json {
  if (depth === maxDepth) throw refused(path, depth, `a value nested deeper than ${maxDepth} levels`, 'store a flatter one')
  for (let level = 0; level < depth; level++) {
    if (path.containers[level] === value) throw refused(path, depth, 'a reference to something that contains it', 'store a copy of what is needed')
  }
  path.containers[depth] = value

  const prototype = Object.getPrototypeOf(value) as object | null
  if (isPlain(prototype)) return encodePlain(value, prototype, path, depth)
  if (Array.isArray(value) && isBuiltIn(prototype, 'Array')) {
    const items = encodeItems(value, path, depth)
    // `length` is the one further key.
    if (Reflect.ownKeys(value).length !== items.length + 1) throw refused(path, depth, 'an array with properties of its own', 'store an object')
    return items
  }
  if (types.isUint8Array(value)) {
    if (isBuiltIn(prototype, 'Buffer')) return { $buffer: base64(value) }
    if (isBuiltIn(prototype, 'Uint8Array')) return { $bytes: base64(value) }
  } else if (Reflect.ownKeys(value).length === 0) {
    if (types.isDate(value) && isBuiltIn(prototype, 'Date')) {
      if (Number.isNaN(value.getTime())) throw refused(path, depth, 'an invalid Date', 'store null instead')
      return { $date: value.toISOString() }
    }
    if (types.isMap(value) && isBuiltIn(prototype, 'Map')) return { $map: encodeItems([...value], path, depth) }
    if (types.isSet(value) && isBuiltIn(prototype, 'Set')) return { $set: encodeItems([...value], path, depth) }
    if (isUrl(value) && isBuiltIn(prototype, 'URL')) return { $url: value.href }
  }
  throw refused(path, depth, `an instance of ${nameOf(value)}`, 'store its data as a plain object')
}

function encodeItems(items: readonly unknown[], path: Path, depth: number): Json[] {
  const result: Json[] = []
  for (let index = 0; index < items.length; index++) {
    path.keys[depth + 1] = index
    const item = items[index]
    if (item === undefined && !(index in items)) throw refused(path, depth + 1, 'a hole in an array', 'fill it with null')
    result.push(encodeValue(item, path, depth + 1))
  }
  return result
}

function encodePlain(value: object, prototype: object | null, path: Path, depth: number): Json {
  // The two calls together cost a third of Reflect.ownKeys.
  if (Object.getOwnPropertySymbols(value).length > 0) throw refused(path, depth, 'an object with a symbol as key', 'use strings as keys')
  const keys = Object.getOwnPropertyNames(value)
  const result: JsonObject = {}
  for (const key of keys) {
    path.keys[depth + 1] = key
    const property = Object.getOwnPropertyDescriptor(value, key)
    if (!property?.enumerable || property.get || property.set) {
      throw refused(path, depth + 1, 'an accessor or a hidden property', 'store a plain value')
    }
    // JSON leaves such a property out, too: it is an optional field.
    if (property.value !== undefined) setKey(result, key, encodeValue(property.value, path, depth + 1))
  }
  if (prototype === null) return { $dict: result }
  return looksTagged(result) ? { $object: result } : result
}

function isPlain(prototype: object | null): boolean {
  return prototype === null || prototype === Object.prototype || (Object.getPrototypeOf(prototype) === null && isNamed(prototype, 'Object'))
}

/**
 * Reports whether a prototype is that of a built-in class. A subclass does not count, because its values would be decoded as the built-in.
 * The name decides, so that built-ins of another realm count (some test runners use a `node:vm` context).
 */
function isBuiltIn(prototype: object | null, name: string): boolean {
  // Most values are arrays, and for them this costs a third of the look at the names.
  if (prototype === Array.prototype) return name === 'Array'
  return prototype !== null && isNamed(prototype, name) && !isNamed(Object.getPrototypeOf(prototype) as object | null, name)
}

function isNamed(prototype: object | null, name: string): boolean {
  const constructor: unknown = prototype && Object.getOwnPropertyDescriptor(prototype, 'constructor')?.value
  return typeof constructor === 'function' && constructor.name === name
}

/** Reports whether a value is a real URL, whose `href` can be read: `instanceof` alone accepts `Object.create(URL.prototype)`. */
function isUrl(value: object): value is URL {
  try {
    return value instanceof URL && typeof value.href === 'string'
  } catch {
    return false
  }
}

function base64({ buffer, byteOffset, byteLength }: Uint8Array): string {
  return Buffer.from(buffer, byteOffset, byteLength).toString('base64')
}

function nameOf(value: object): string {
  const { constructor } = value as { constructor?: unknown }
  return typeof constructor === 'function' && constructor.name !== '' ? constructor.name : 'a class'
}

/** How many steps of a path an error shows. */
const mostSteps = 20

function refused({ keys }: Path, depth: number, what: string, advice: string): SessionError {
  const [first, ...inner] = keys.slice(0, depth + 1)
  const steps = inner.map((key) => (typeof key === 'string' && isIdentifier.test(key) ? `.${key}` : `[${JSON.stringify(key)}]`))
  const shown = steps.length > mostSteps ? [...steps.slice(0, mostSteps / 2), ' … ', ...steps.slice(-mostSteps / 2)] : steps
  return new SessionError('ERR_SESSION_VALUE', `${String(first)}${shown.join('')}: ${what} cannot be stored: ${advice}`)
}

const isIdentifier = /^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u
