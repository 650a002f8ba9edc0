import { AsyncResource } from 'node:async_hooks'
import { decode, encode, type Data, type Json } from '../record/index.js'
import { noChanges, resultingJson, runChangeFunction, valueAt, type Change, type ChangeFunction, type Changes } from './changes.js'

/** The state of a key that this request set, deleted, or read as an object, which it may have changed in place. */
interface Touched {
  /** The value for this request; `undefined` when the key was deleted. */
  readonly value: unknown
  /** The functions of `change()` that made the value, and its text after the last of them. Another text shows a later change in place. */
  readonly madeBy?: { readonly functions: readonly ChangeFunction[]; readonly text: string | undefined }
}

/**
 * Tracks the changes that one request makes to the data of a session. It keeps the keys that the request touched, reads all others from the
 * data that was loaded, and compares the two key by key.
 */
export class ChangeTracker {
  #loaded: Data
  readonly #touched = new Map<string, Touched>()
  /** A save since the tracker was last used. The tracker applies it only when it is used again, which is rare. */
  #saved: { readonly data: Data; readonly changes: Changes } | undefined

  constructor(loaded: Data) {
    this.#loaded = loaded
  }

  get(key: string): unknown {
    this.#applySaved()
    const entry = this.#touched.get(key)
    if (entry) return entry.value
    const json = valueAt(this.#loaded, key)
    if (typeof json !== 'object' || json === null) return json
    const value = decode(json)
    this.#touched.set(key, { value })
    return value
  }

  has(key: string): boolean {
    this.#applySaved()
    const entry = this.#touched.get(key)
    return entry ? entry.value !== undefined : Object.hasOwn(this.#loaded, key)
  }

  keys(): string[] {
    this.#applySaved()
    const keys = Object.keys(this.#loaded).filter((key) => this.has(key))
    for (const key of this.#touched.keys()) if (!Object.hasOwn(this.#loaded, key) && this.has(key)) keys.push(key)
    return keys
  }

  set(key: string, value: unknown): void {
    this.#applySaved()
    this.#touched.set(key, { value })
  }

  delete(key: string): void {
    if (this.has(key)) this.#touched.set(key, { value: undefined })
  }

  /** @throws TypeError when the function returns nothing or a promise; the value stays as it was. */
  change(key: string, fn: ChangeFunction): unknown {
    this.#applySaved()
    const before = this.#touched.get(key)
    const earlier = isMadeByFunctions(key, before) ? before.madeBy.functions : []
    // If this request has set the key itself, the result does not depend on the stored value. Check that before the function runs: it may
    // change the value in place and return it.
    const isSetHere = earlier.length === 0 && changeOf(key, before, this.#loaded) !== undefined
    const value = runChangeFunction(key, fn, this.get(key))
    // The store may run the function again among the updates of other requests. Bound, it still sees the AsyncLocalStorage of this request.
    const bound = AsyncResource.bind(fn as (value: unknown) => unknown) as ChangeFunction
    this.#touched.set(key, isSetHere ? { value } : { value, madeBy: { functions: [...earlier, bound], text: textOf(key, value) } })
    return value
  }

  /** Deletes every key. */
  clear(): void {
    this.#applySaved()
    // Include the keys that this request set: a save in progress may be storing them.
    for (const key of [...this.#touched.keys(), ...Object.keys(this.#loaded)]) this.#touched.set(key, { value: undefined })
  }

  /** The changes to save. @throws SessionError `ERR_SESSION_VALUE` for a value that cannot be stored. */
  changes(): Changes {
    this.#applySaved()
    if (this.#touched.size === 0) return noChanges
    const changes = new Map<string, Change>()
    for (const [key, entry] of this.#touched) {
      const change = changeOf(key, entry, this.#loaded)
      if (change) changes.set(key, change)
    }
    return changes
  }

  /** Notes that `changes` were saved and that `data` is stored now. Changes that the request made since are still to be saved. */
  noteSaved(data: Data, changes: Changes): void {
    this.#applySaved()
    this.#saved = { data, changes }
  }

  #applySaved(): void {
    const saved = this.#saved
    if (!saved) return
    this.#saved = undefined
    const { data, changes } = saved
    for (const [key, entry] of this.#touched) {
      const change = changes.get(key)
      const savedJson = change ? resultingJson(change) : valueAt(this.#loaded, key)
      const rebased = rebasedEntry(key, entry, savedJson, valueAt(data, key), change?.kind === 'change' ? change.functions.length : 0)
      if (rebased) this.#touched.set(key, rebased)
      else this.#touched.delete(key)
    }
    this.#loaded = data
  }
}

/**
 * Rebases an entry onto `newest`, which is stored now, after a save that stored the entry as `saved`, including the first `savedFunctions` of its functions.
 * `undefined`: nothing is left to track, and the key can be read from the newest data.
 */
function rebasedEntry(key: string, entry: Touched, saved: Json | undefined, newest: Json | undefined, savedFunctions: number): Touched | undefined {
  const isNewest = JSON.stringify(saved) === JSON.stringify(newest)
  try {
    const functions = isMadeByFunctions(key, entry) ? entry.madeBy.functions.slice(savedFunctions) : []
    if (functions.length === 0) {
      if (textOf(key, entry.value) !== JSON.stringify(saved)) return { value: entry.value }
      // The request may hold the value and change it in place later.
      return isNewest && saved !== undefined ? { value: entry.value } : undefined
    }
    let { value } = entry
    if (!isNewest) {
      value = newest === undefined ? undefined : decode(newest)
      for (const fn of functions) value = runChangeFunction(key, fn, value)
    }
    return { value, madeBy: { functions, text: textOf(key, value) } }
  } catch {
    // The value cannot be stored: the next save reports that.
    return { value: entry.value }
  }
}

/** The change that an entry makes to the data. `undefined`: the key is as it was. */
function changeOf(key: string, entry: Touched | undefined, data: Data): Change | undefined {
  if (!entry) return undefined
  const loaded = valueAt(data, key)
  if (entry.value === undefined) return loaded === undefined ? undefined : { kind: 'delete' }
  const json = encode(key, entry.value)
  if (isMadeByFunctions(key, entry)) return { kind: 'change', loaded, result: json, functions: entry.madeBy.functions }
  return isSame(json, loaded) ? undefined : { kind: 'set', json }
}

function isSame(one: Json | undefined, other: Json | undefined): boolean {
  return one === other || (typeof one === 'object' && typeof other === 'object' && JSON.stringify(one) === JSON.stringify(other))
}

/** Reports whether functions of `change()` made the value, and nothing has changed it in place since. */
function isMadeByFunctions(key: string, entry: Touched | undefined): entry is Required<Touched> {
  return entry?.madeBy !== undefined && entry.madeBy.text === textOf(key, entry.value)
}

function textOf(key: string, value: unknown): string | undefined {
  return value === undefined ? undefined : JSON.stringify(encode(key, value))
}
