import type { Json } from './store.js'
import { decode, encode } from './values.js'

/** The data of a record. */
export type Data = { readonly [key: string]: Json }

/** What one request did to one key. */
export type Change =
  | { kind: 'set'; json: Json }
  | { kind: 'delete' }
  /** `change()`: on the value that was loaded, its result; on a newer one, the functions again. */
  | { kind: 'change'; loaded: Json | undefined; result: Json | undefined; functions: readonly ChangeFunction[] }

export type ChangeFunction = (value: never) => unknown

export type Changes = ReadonlyMap<string, Change>

/** A key that this request set, deleted, or read as an object, which it may have changed in place. */
interface Touched {
  /** What it is for this request; `undefined` when deleted. */
  value: unknown
  /** The functions of `change()` that made the value, and its text then, to see later changes in place. */
  made?: { by: readonly ChangeFunction[]; text: string | undefined }
}

/**
 * One request's view of the data: reads through to what was loaded, keeps what the request did, and tells in the end
 * what has changed, key by key.
 */
export class Draft {
  #loaded: Data
  readonly #touched = new Map<string, Touched>()

  constructor(loaded: Data) {
    this.#loaded = loaded
  }

  get(key: string): unknown {
    const entry = this.#touched.get(key)
    if (entry) return entry.value
    const json = valueAt(this.#loaded, key)
    if (typeof json !== 'object' || json === null) return json
    const value = decode(json)
    this.#touched.set(key, { value })
    return value
  }

  has(key: string): boolean {
    const entry = this.#touched.get(key)
    return entry ? entry.value !== undefined : Object.hasOwn(this.#loaded, key)
  }

  keys(): string[] {
    const keys = Object.keys(this.#loaded).filter((key) => this.has(key))
    for (const key of this.#touched.keys()) if (!Object.hasOwn(this.#loaded, key) && this.has(key)) keys.push(key)
    return keys
  }

  set(key: string, value: unknown): void {
    this.#touched.set(key, { value })
  }

  delete(key: string): void {
    if (this.has(key)) this.#touched.set(key, { value: undefined })
  }

  change(key: string, fn: ChangeFunction): unknown {
    const before = this.#touched.get(key)
    const known = isAsMade(key, before) ? before.made.by : []
    // On a value that this request set itself, the result is the request's own whatever is stored. Asked before the
    // function runs, which may work in place and return what it was given.
    const isOwn = known.length === 0 && changeOf(key, before, this.#loaded) !== undefined
    const value = fn(this.get(key) as never)
    this.#touched.set(key, isOwn ? { value } : { value, made: { by: [...known, fn], text: textOf(key, value) } })
    return value
  }

  /** Deletes every key. */
  clear(): void {
    // Keys that this request set as well: a save that is under way may be storing them.
    for (const key of [...this.#touched.keys(), ...Object.keys(this.#loaded)]) this.#touched.set(key, { value: undefined })
  }

  /** What to save. @throws SessionError `ERR_SESSION_VALUE` for a value that cannot be stored. */
  changes(): Changes {
    const changes = new Map<string, Change>()
    for (const [key, entry] of this.#touched) {
      const change = changeOf(key, entry, this.#loaded)
      if (change) changes.set(key, change)
    }
    return changes
  }

  /**
   * Goes on from what is stored after those changes were saved. Values that the request holds stay the ones it holds, where
   * they still are the newest; what it did since the changes were told, while they were being saved, is still to be saved.
   */
  rebase(data: Data, saved: Changes): void {
    for (const [key, entry] of this.#touched) {
      const then = jsonOf(saved.get(key), valueAt(this.#loaded, key))
      const rebased = rebasedEntry(key, entry, then, valueAt(data, key), functionsOf(saved.get(key)).length)
      if (rebased) this.#touched.set(key, rebased)
      else this.#touched.delete(key)
    }
    this.#loaded = data
  }
}

/** The data with the changes applied to it, key by key; `null` when nothing is left. Pure, and may be called again on newer data. */
export function applyChanges(changes: Changes, data: Data): Data | null {
  const result: { [key: string]: Json } = { ...data }
  for (const [key, change] of changes) {
    const json = applyChange(key, change, valueAt(data, key))
    if (json === undefined) delete result[key]
    else if (key === '__proto__') Object.defineProperty(result, key, { value: json, enumerable: true, configurable: true, writable: true })
    else result[key] = json
  }
  for (const key in result) if (Object.hasOwn(result, key)) return result
  return null
}

function applyChange(key: string, change: Change, stored: Json | undefined): Json | undefined {
  if (change.kind === 'set') return change.json
  if (change.kind === 'delete') return undefined
  if (JSON.stringify(stored) === JSON.stringify(change.loaded)) return change.result
  let value = stored === undefined ? undefined : decode(stored)
  for (const fn of change.functions) value = fn(value as never)
  return value === undefined ? undefined : encode(key, value)
}

/** What is left of an entry, saved as `then`, on the newest value; `known` of its functions were saved. */
function rebasedEntry(key: string, entry: Touched, then: Json | undefined, newest: Json | undefined, known: number): Touched | undefined {
  const isNewest = JSON.stringify(then) === JSON.stringify(newest)
  try {
    const since = isAsMade(key, entry) ? entry.made.by.slice(known) : []
    if (since.length === 0) {
      if (textOf(key, entry.value) !== JSON.stringify(then)) return { value: entry.value }
      return isNewest && then !== undefined ? { value: entry.value } : undefined
    }
    let { value } = entry
    if (!isNewest) {
      value = newest === undefined ? undefined : decode(newest)
      for (const fn of since) value = fn(value as never)
    }
    return { value, made: { by: since, text: textOf(key, value) } }
  } catch {
    // A value that cannot be stored: the next save will say so.
    return { value: entry.value }
  }
}

function valueAt(data: Data, key: string): Json | undefined {
  return Object.hasOwn(data, key) ? data[key] : undefined
}

/** What the request had under a key of which it told this change, or none. */
function jsonOf(change: Change | undefined, loaded: Json | undefined): Json | undefined {
  if (!change) return loaded
  if (change.kind === 'change') return change.result
  return change.kind === 'set' ? change.json : undefined
}

function functionsOf(change: Change | undefined): readonly ChangeFunction[] {
  return change?.kind === 'change' ? change.functions : []
}

function changeOf(key: string, entry: Touched | undefined, data: Data): Change | undefined {
  if (!entry) return undefined
  const loaded = valueAt(data, key)
  const json = entry.value === undefined ? undefined : encode(key, entry.value)
  if (isAsMade(key, entry)) return { kind: 'change', loaded, result: json, functions: entry.made.by }
  if (json === undefined) return loaded === undefined ? undefined : { kind: 'delete' }
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
