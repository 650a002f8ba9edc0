import { AsyncResource } from 'node:async_hooks'
import { decode, encode, type Data, type Json } from '../record/index.js'

/** What one request did to one key. */
export type Change =
  | { readonly kind: 'set'; readonly json: Json }
  | { readonly kind: 'delete' }
  /** `change()`: on the value that was loaded, `result`; on a newer value, the functions run again. */
  | { readonly kind: 'change'; readonly loaded: Json | undefined; readonly result: Json; readonly functions: readonly ChangeFunction[] }

export type ChangeFunction = (value: never) => unknown

export type Changes = ReadonlyMap<string, Change>

export const noChanges: Changes = new Map()

/** A key that this request set, deleted, or read as an object, which it may have changed in place. */
interface Touched {
  /** The value for this request; `undefined` when the key was deleted. */
  readonly value: unknown
  /** The functions of `change()` that made the value, and its text after the last of them, to see later changes in place. */
  readonly made?: { readonly by: readonly ChangeFunction[]; readonly text: string | undefined }
}

/**
 * Tracks what one request does to the data of a session. It reads through to the data that was loaded, keeps what the request did, and
 * compares the two key by key.
 */
export class ChangeTracker {
  #loaded: Data
  readonly #touched = new Map<string, Touched>()
  /** What was saved since the tracker was last used. It is taken over only when the tracker is used again, which is rare. */
  #saved: { readonly data: Data; readonly changes: Changes } | undefined

  constructor(loaded: Data) {
    this.#loaded = loaded
  }

  get(key: string): unknown {
    this.#catchUp()
    const entry = this.#touched.get(key)
    if (entry) return entry.value
    const json = valueAt(this.#loaded, key)
    if (typeof json !== 'object' || json === null) return json
    const value = decode(json)
    this.#touched.set(key, { value })
    return value
  }

  has(key: string): boolean {
    this.#catchUp()
    const entry = this.#touched.get(key)
    return entry ? entry.value !== undefined : Object.hasOwn(this.#loaded, key)
  }

  keys(): string[] {
    this.#catchUp()
    const keys = Object.keys(this.#loaded).filter((key) => this.has(key))
    for (const key of this.#touched.keys()) if (!Object.hasOwn(this.#loaded, key) && this.has(key)) keys.push(key)
    return keys
  }

  set(key: string, value: unknown): void {
    this.#catchUp()
    this.#touched.set(key, { value })
  }

  delete(key: string): void {
    if (this.has(key)) this.#touched.set(key, { value: undefined })
  }

  /** @throws TypeError when the function returns nothing or a promise; the value stays as it was. */
  change(key: string, fn: ChangeFunction): unknown {
    this.#catchUp()
    const before = this.#touched.get(key)
    const known = isAsMade(key, before) ? before.made.by : []
    // On a value that this request set itself, the result is the request's own, whatever is stored. Look before the function runs, which
    // may change the value in place and return it.
    const isOwn = known.length === 0 && changeOf(key, before, this.#loaded) !== undefined
    const value = resultOf(key, fn, this.get(key))
    // It may run again for a store that makes the updates of several requests at once, and then belongs to this request all the same.
    const bound = AsyncResource.bind(fn as (value: unknown) => unknown) as ChangeFunction
    this.#touched.set(key, isOwn ? { value } : { value, made: { by: [...known, bound], text: textOf(key, value) } })
    return value
  }

  /** Deletes every key. */
  clear(): void {
    this.#catchUp()
    // Include the keys that this request set: a save in progress may be storing them.
    for (const key of [...this.#touched.keys(), ...Object.keys(this.#loaded)]) this.#touched.set(key, { value: undefined })
  }

  /** What to save. @throws SessionError `ERR_SESSION_VALUE` for a value that cannot be stored. */
  changes(): Changes {
    this.#catchUp()
    if (this.#touched.size === 0) return noChanges
    const changes = new Map<string, Change>()
    for (const [key, entry] of this.#touched) {
      const change = changeOf(key, entry, this.#loaded)
      if (change) changes.set(key, change)
    }
    return changes
  }

  /** Notes that `changes` were saved and that `data` is stored now. What the request did since then is still to be saved. */
  saved(data: Data, changes: Changes): void {
    this.#catchUp()
    this.#saved = { data, changes }
  }

  #catchUp(): void {
    const saved = this.#saved
    if (!saved) return
    this.#saved = undefined
    const { data, changes } = saved
    for (const [key, entry] of this.#touched) {
      const change = changes.get(key)
      const then = change ? resultingJson(change) : valueAt(this.#loaded, key)
      const rebased = rebasedEntry(key, entry, then, valueAt(data, key), change?.kind === 'change' ? change.functions.length : 0)
      if (rebased) this.#touched.set(key, rebased)
      else this.#touched.delete(key)
    }
    this.#loaded = data
  }
}

/** The data with the changes applied to it, key by key; `null` when nothing is left. Pure: call it again on newer data. */
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

/** The value under a key of the data, and no inherited one. */
export function valueAt(data: Data, key: string): Json | undefined {
  return Object.hasOwn(data, key) ? data[key] : undefined
}

function applyChange(key: string, change: Change, stored: Json | undefined): Json | undefined {
  if (change.kind === 'set') return change.json
  if (change.kind === 'delete') return undefined
  if (JSON.stringify(stored) === JSON.stringify(change.loaded)) return change.result
  let value = stored === undefined ? undefined : decode(stored)
  for (const fn of change.functions) value = resultOf(key, fn, value)
  return encode(key, value)
}

/** The result of a function of `change()`. @throws TypeError for `undefined` and for a promise. */
function resultOf(key: string, fn: ChangeFunction, value: unknown): unknown {
  const result = fn(value as never)
  if (result === undefined) {
    throw new TypeError(`ctx.session: the function of change('${key}', …) returned undefined: return the new value; to delete a key use pop()`)
  }
  if (typeof (result as { then?: unknown }).then === 'function') {
    throw new TypeError(`ctx.session: the function of change('${key}', …) returned a promise: it must be synchronous and return the new value`)
  }
  return result
}

/**
 * What is left of an entry after a save stored it as `then`, while `newest` is stored now. The save included the first `known` functions.
 * `undefined`: nothing is left, and the key can be read from the newest data.
 */
function rebasedEntry(key: string, entry: Touched, then: Json | undefined, newest: Json | undefined, known: number): Touched | undefined {
  const isNewest = JSON.stringify(then) === JSON.stringify(newest)
  try {
    const since = isAsMade(key, entry) ? entry.made.by.slice(known) : []
    if (since.length === 0) {
      if (textOf(key, entry.value) !== JSON.stringify(then)) return { value: entry.value }
      // The request may hold the value and change it in place later.
      return isNewest && then !== undefined ? { value: entry.value } : undefined
    }
    let { value } = entry
    if (!isNewest) {
      value = newest === undefined ? undefined : decode(newest)
      for (const fn of since) value = resultOf(key, fn, value)
    }
    return { value, made: { by: since, text: textOf(key, value) } }
  } catch {
    // The value cannot be stored: the next save reports that.
    return { value: entry.value }
  }
}

/** The JSON under a key after a change, as the request saw it. */
function resultingJson(change: Change): Json | undefined {
  if (change.kind === 'change') return change.result
  return change.kind === 'set' ? change.json : undefined
}

function changeOf(key: string, entry: Touched | undefined, data: Data): Change | undefined {
  if (!entry) return undefined
  const loaded = valueAt(data, key)
  if (entry.value === undefined) return loaded === undefined ? undefined : { kind: 'delete' }
  const json = encode(key, entry.value)
  if (isAsMade(key, entry)) return { kind: 'change', loaded, result: json, functions: entry.made.by }
  return isSame(json, loaded) ? undefined : { kind: 'set', json }
}

function isSame(one: Json | undefined, other: Json | undefined): boolean {
  return one === other || (typeof one === 'object' && typeof other === 'object' && JSON.stringify(one) === JSON.stringify(other))
}

function isAsMade(key: string, entry: Touched | undefined): entry is Required<Touched> {
  return entry?.made !== undefined && entry.made.text === textOf(key, entry.value)
}

function textOf(key: string, value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(encode(key, value))
}
