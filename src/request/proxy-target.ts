import { inspect } from 'node:util'
import { assertOption, isDataObject, kindOf } from '../checks.js'
import { isOwner } from '../record/index.js'
import type { ChangeTracker } from './change-tracker.js'
import type { ChangeFunction } from './changes.js'
import { isLifetime, warnOfShortLifetime } from './lifetimes.js'
import type { LoginOptions } from './replace-sid.js'
import type { SessionCalls } from './session-calls.js'
import type { Callback, SessionMembers } from './session-members.js'

/** The members of `ctx.session`, and the target of the proxy. */
export class ProxyTarget implements SessionMembers {
  readonly #calls: SessionCalls

  constructor(calls: SessionCalls) {
    this.#calls = calls
  }

  /** Notes an access, and returns the tracker to read data from. */
  beginRead(): ChangeTracker {
    this.#calls.noteAccess()
    return this.#calls.session.tracker
  }

  /** Notes an access, because as in Flask setting is one, and returns the tracker to change data. @throws SessionError when the session is read-only. */
  beginWrite(): ChangeTracker {
    this.#calls.assertWritable()
    return this.beginRead()
  }

  get(key: string, fallback?: unknown): never {
    const reading = this.beginRead()
    return (reading.has(key) ? reading.get(key) : fallback) as never
  }

  set(key: string, value: unknown): void {
    assertKey(key)
    this.beginWrite().set(key, value)
  }

  has(key: string): boolean {
    return this.beginRead().has(key)
  }

  pop(key: string, fallback?: unknown): never {
    const value: unknown = this.get(key, fallback)
    if (this.beginRead().has(key)) this.beginWrite().delete(key)
    return value as never
  }

  take(key: string): Promise<never> {
    assertKey(key)
    return this.#calls.take(key) as Promise<never>
  }

  setDefault(key: string, value: unknown): never {
    assertKey(key)
    if (!this.beginRead().has(key)) this.beginWrite().set(key, value)
    return this.beginRead().get(key) as never
  }

  update(object: object): void {
    if (!isDataObject(object)) throw new TypeError('ctx.session: update(object) expects a plain object with the keys to set')
    for (const [key, value] of Object.entries(object)) this.beginWrite().set(key, value)
  }

  clear(): void {
    this.#calls.clear()
  }

  change(key: string, fn: ChangeFunction): never {
    assertKey(key)
    if (typeof fn !== 'function') throw new TypeError(`ctx.session: change('${key}', fn) expects a function that returns the new value`)
    return this.beginWrite().change(key, fn) as never
  }

  increment(key: string, by = 1): number {
    if (typeof by !== 'number' || !Number.isFinite(by)) throw new TypeError(`ctx.session: increment('${key}', by) expects a number`)
    return this.change(key, (value: unknown) => {
      if (value === undefined) return by
      if (typeof value === 'number') return value + by
      throw new TypeError(`ctx.session: increment('${key}') expects a number under the key, found a ${typeof value}`)
    })
  }

  get permanent(): boolean {
    this.#calls.noteUse()
    return this.#calls.session.permanent
  }

  set permanent(value: boolean) {
    assertOption('ctx.session', 'permanent', value, typeof value === 'boolean', 'true or false')
    this.#calls.assign({ permanent: value })
  }

  get lifetime(): number {
    this.#calls.noteUse()
    return this.#calls.session.lifetime
  }

  set lifetime(value: number) {
    assertOption('ctx.session', 'lifetime', value, isLifetime(value), 'a number of milliseconds above 0, at most a thousand years')
    warnOfShortLifetime('ctx.session.lifetime', value)
    this.#calls.assign({ lifetime: value })
  }

  get modified(): boolean {
    return this.#calls.session.modified
  }

  set modified(value: boolean) {
    assertOption('ctx.session', 'modified', value, typeof value === 'boolean', 'true or false')
    this.#calls.assign({ forced: value })
  }

  get polling(): boolean {
    return this.#calls.session.polling
  }

  set polling(value: boolean) {
    assertOption('ctx.session', 'polling', value, typeof value === 'boolean', 'true or false')
    this.#calls.session.polling = value
  }

  get accessed(): boolean {
    return this.#calls.session.accessed
  }

  get isNew(): boolean {
    this.#calls.noteAccess()
    return this.#calls.session.isNew
  }

  get sid(): string | undefined {
    this.#calls.noteAccess()
    return this.#calls.session.stored?.sid
  }

  get recordId(): string | undefined {
    this.#calls.noteAccess()
    return this.#calls.session.stored?.record.id
  }

  get owner(): string | undefined {
    this.#calls.noteAccess()
    return this.#calls.session.owner
  }

  get createdAt(): Date {
    this.#calls.noteAccess()
    return new Date(this.#calls.session.createdAt)
  }

  get expiresAt(): Date {
    this.#calls.noteAccess()
    return new Date(this.#calls.session.expiresAt)
  }

  loginAs(owner: string, options: LoginOptions = {}): Promise<void> {
    assertOption('ctx.session', 'the owner of loginAs()', owner, isOwner(owner), 'the id of the user, a string of 1 to 256 characters', kindOf)
    const { permanent, lifetime, keep } = options
    const where = 'ctx.session.loginAs(owner, options)'
    assertOption(where, 'permanent', permanent, permanent === undefined || typeof permanent === 'boolean', 'true or false')
    assertOption(where, 'lifetime', lifetime, lifetime === undefined || isLifetime(lifetime), 'a number of milliseconds above 0')
    if (lifetime !== undefined) warnOfShortLifetime('the lifetime of ctx.session.loginAs()', lifetime)
    assertOption(where, 'keep', keep, keep === undefined || Array.isArray(keep), 'an array of keys')
    return this.#calls.loginAs(owner, { permanent, lifetime, keep })
  }

  endOthers(): Promise<number> {
    return this.#calls.endOthers()
  }

  regenerate(callback?: Callback): Promise<void> {
    return withCallback(this.#calls.regenerate(), callback)
  }

  destroy(callback?: Callback): Promise<void> {
    return withCallback(this.#calls.destroy(), callback)
  }

  save(callback?: Callback): Promise<boolean> {
    return withCallback(this.#calls.save(), callback)
  }

  reload(callback?: Callback): Promise<boolean> {
    return withCallback(this.#calls.reload(), callback)
  }

  /** Returns the data only, including keys that have the name of a member. */
  toJSON(): object {
    const reading = this.beginRead()
    const data = Object.create(null) as Record<string, unknown>
    for (const key of reading.keys()) data[key] = reading.get(key)
    return data
  }

  // Node inspects the target of a proxy, not the proxy.
  [inspect.custom](): object {
    return { ...this.toJSON() }
  }
}

/** Refuses keys that are no strings: a caller in JavaScript may pass a number, which would be another key than its text. */
function assertKey(key: unknown): void {
  if (typeof key !== 'string') throw new TypeError(`ctx.session: a key must be a string, got ${key === null ? 'null' : typeof key}`)
}

/** Calls a Node callback, for which Passport waits, when a promise is settled. In `setImmediate`, an error of the callback is the application's. */
function withCallback<T>(promise: Promise<T>, callback: Callback | undefined): Promise<T> {
  if (typeof callback === 'function') {
    promise.then(
      () => setImmediate(callback, null),
      (error: Error) => setImmediate(callback, error)
    )
  }
  return promise
}
