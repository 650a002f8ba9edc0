import { Refusal, type Parse, type SettingsReader } from './reader.js'

type Secret = string | Buffer

const secret: Parse<Secret> = (value) => secretOf(value) ?? new Refusal('must be text or bytes, and not empty', { hidesValue: true })

/** Refuses text that is not a JSON array. Flask would iterate it, so that each of its characters would be a key, with which anybody can sign. */
const secrets: Parse<readonly Secret[]> = (value) => {
  const list = typeof value === 'string' ? arrayIn(value) : value
  const parsed = Array.isArray(list) ? Array.from<unknown>(list).map(secretOf) : [undefined]
  return parsed.every((key) => key !== undefined)
    ? parsed
    : new Refusal('must be an array of secrets that are not empty, newest first (as text: a JSON array such as ["older", "oldest"])', { hidesValue: true })
}

/** The keys that sign the cookie, newest first. `undefined`: `app.keys`. */
export function keysFrom(reader: SettingsReader): Secret[] | undefined {
  const newest = reader.read('SECRET_KEY', (value) => (value === null ? undefined : secret(value)))
  const older = reader.read('SECRET_KEY_FALLBACKS', (value) => (value === null || value === 'null' ? [] : secrets(value))) ?? []
  if (newest !== undefined) return [newest, ...older]
  if (older.length > 0 && !reader.has('SECRET_KEY')) reader.addProblem('SECRET_KEY_FALLBACKS needs SECRET_KEY, the key that signs now')
  return undefined
}

function secretOf(value: unknown): Secret | undefined {
  if (typeof value === 'string') return value === '' ? undefined : value
  if (!(value instanceof Uint8Array) || value.byteLength === 0) return undefined
  return Buffer.from(value.buffer, value.byteOffset, value.byteLength)
}

function arrayIn(json: string): unknown {
  try {
    return JSON.parse(json)
  } catch {
    return undefined
  }
}
