import type { Json } from './json.js'
import { looksTagged, setKey, type JsonObject } from './tagged.js'

/** Decodes a value. Each call makes a new value, which you may change in place. */
export function decode(json: Json): unknown {
  if (typeof json !== 'object' || json === null) return json
  if (Array.isArray(json)) return json.map(decode)
  if (looksTagged(json)) {
    const [kind] = Object.keys(json) as [string]
    const value = decodeKind(kind, json[kind]!)
    if (value !== undefined) return value
  }
  return decodeInto({}, json)
}

/** Decodes a value of a type that JSON does not have. `undefined`: its form is wrong (a person edited the file), so it is read as a plain object. */
function decodeKind(kind: string, json: Json): unknown {
  switch (kind) {
    case '$object':
      return isObject(json) ? decodeInto({}, json) : undefined
    case '$dict':
      return isObject(json) ? decodeInto(Object.create(null) as object, json) : undefined
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

function decodeInto<Target extends object>(target: Target, json: JsonObject): Target {
  for (const key of Object.keys(json)) setKey(target, key, decode(json[key]!))
  return target
}

function isObject(json: Json): json is JsonObject {
  return typeof json === 'object' && json !== null && !Array.isArray(json)
}

function isPair(json: Json): json is [Json, Json] {
  return Array.isArray(json) && json.length === 2
}
