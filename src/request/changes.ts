import { decode, encode, type Data, type Json } from '../record/index.js'
import { isPromise } from '../store/index.js'

/** The change that one request made to one key. */
export type Change =
  | { readonly kind: 'set'; readonly json: Json }
  | { readonly kind: 'delete' }
  /** `change()`: if `loaded` is still stored, `result` replaces it. On a newer value, the functions run again. */
  | { readonly kind: 'change'; readonly loaded: Json | undefined; readonly result: Json; readonly functions: readonly ChangeFunction[] }

export type ChangeFunction = (value: never) => unknown

export type Changes = ReadonlyMap<string, Change>

export const noChanges: Changes = new Map()

/** Applies changes to data, key by key. `null`: no key is left. This function is pure, so it can run again on newer data. */
export function applyChanges(changes: Changes, data: Data): Data | null {
  const result: { [key: string]: Json } = { ...data }
  for (const [key, change] of changes) {
    const json = applyChange(key, change, valueAt(data, key))
    if (json === undefined) delete result[key]
    // An assignment to `__proto__` would set the prototype.
    else if (key === '__proto__') Object.defineProperty(result, key, { value: json, enumerable: true, configurable: true, writable: true })
    else result[key] = json
  }
  for (const key in result) if (Object.hasOwn(result, key)) return result
  return null
}

/** Reports whether a key is left when changes are applied to data. It runs no function of `change()`: each of them returns a value. */
export function leavesData(changes: Changes, data: Data): boolean {
  for (const change of changes.values()) if (change.kind !== 'delete') return true
  return Object.keys(data).some((key) => !changes.has(key))
}

/** The value of a key of the data. Inherited properties do not count. */
export function valueAt(data: Data, key: string): Json | undefined {
  return Object.hasOwn(data, key) ? data[key] : undefined
}

/** The JSON of a key after a change, as the request saw it. */
export function resultingJson(change: Change): Json | undefined {
  if (change.kind === 'change') return change.result
  return change.kind === 'set' ? change.json : undefined
}

function applyChange(key: string, change: Change, stored: Json | undefined): Json | undefined {
  if (change.kind === 'set') return change.json
  if (change.kind === 'delete') return undefined
  if (JSON.stringify(stored) === JSON.stringify(change.loaded)) return change.result
  let value = stored === undefined ? undefined : decode(stored)
  for (const fn of change.functions) value = runChangeFunction(key, fn, value)
  return encode(key, value)
}

/** Runs a function of `change()` and returns its result. @throws TypeError for `undefined` and for a promise. */
export function runChangeFunction(key: string, fn: ChangeFunction, value: unknown): unknown {
  const result = fn(value as never)
  if (result === undefined) {
    throw new TypeError(`ctx.session: the function of change('${key}', …) returned undefined: return the new value; to delete a key use pop()`)
  }
  if (isPromise(result)) {
    // Nobody waits for the promise, so its failure would end the process.
    if (result instanceof Promise) result.catch(() => undefined)
    throw new TypeError(`ctx.session: the function of change('${key}', …) returned a promise: it must be synchronous and return the new value`)
  }
  return result
}
