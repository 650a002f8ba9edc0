import type { LoginOptions } from './replace-sid.js'

/**
 * The data of a session. Augment it, and `ctx.session` knows the keys; until then every key is allowed and `unknown`.
 *
 * @example
 * import 'koa-keepsake'
 *
 * declare module 'koa-keepsake' {
 *   interface SessionData { user?: string; cart?: { items: string[] } }
 * }
 */
// oxlint-disable-next-line typescript/no-empty-interface, typescript/no-empty-object-type -- empty, to be augmented
export interface SessionData {}

/** A key that the application declared in `SessionData`. */
type DeclaredKey = keyof SessionData & string

/** The data as properties of `ctx.session`. */
type Data = DeclaredKey extends never ? { [key: string]: unknown } : SessionData

/** A key that `SessionData` does not declare. Once it is augmented, none can be set, so that a misspelt key does not compile. */
type OtherKey = DeclaredKey extends never ? string : never

/** The type of `ctx.session`: the data as properties, and the members. */
export type Session = Data & SessionMembers

/** A Node callback, such as the one that Passport passes to `regenerate` and `save`. */
export type Callback = (error?: Error | null) => void

/** The members of `ctx.session`. They are never data: data of these names is set with `set` and read with `get`. */
export interface SessionMembers {
  /** Returns the value of a key, or the fallback if there is none. Any string is a key, `__proto__` and `get` too. */
  get<K extends DeclaredKey>(key: K): SessionData[K] | undefined
  get<K extends DeclaredKey, F>(key: K, fallback: F): Exclude<SessionData[K], undefined> | F
  get(key: string, fallback?: unknown): unknown
  /** Sets a key. `undefined` deletes it. */
  set<K extends DeclaredKey>(key: K, value: SessionData[K]): void
  set(key: OtherKey, value: unknown): void
  /** Reports whether the key is present. */
  has(key: string): boolean
  /** Removes a key and returns its value, or the fallback if there is none. */
  pop<K extends DeclaredKey>(key: K): SessionData[K] | undefined
  pop<K extends DeclaredKey, F>(key: K, fallback: F): Exclude<SessionData[K], undefined> | F
  pop(key: string, fallback?: unknown): unknown
  /**
   * Removes a key, saves at once and returns the value: for one-time values such as tokens. Of any number of parallel requests, exactly one
   * gets the value and the others get `undefined`. Await it.
   *
   * @throws SessionError when the store fails.
   */
  take<K extends DeclaredKey>(key: K): Promise<SessionData[K] | undefined>
  take(key: string): Promise<unknown>
  /** Sets a key that is absent. Returns the value that is present afterwards, which you may change in place. */
  setDefault<K extends DeclaredKey>(key: K, value: Exclude<SessionData[K], undefined>): Exclude<SessionData[K], undefined>
  setDefault<V>(key: OtherKey, value: V): V
  /** Sets every key of the object. */
  update(object: Partial<Data>): void
  /** Empties the session. Its record and cookie are removed at the end of the request, unless you set something again. */
  clear(): void
  /**
   * Replaces the value of a key by the result of a function, exactly, whatever other requests do meanwhile.
   *
   * @param fn synchronous and without side effects: it may run again on a newer value. It must return the new value.
   * @returns the new value as far as this request knows it.
   * @throws TypeError when the function returns `undefined` or a promise.
   * @example ctx.session.change('cart', (cart: string[] = []) => [...cart, 'tea'])
   */
  change<K extends DeclaredKey>(key: K, fn: (value: SessionData[K] | undefined) => Exclude<SessionData[K], undefined>): Exclude<SessionData[K], undefined>
  // oxlint-disable-next-line typescript/no-explicit-any -- `unknown` would refuse `(n = 0) => n + 1` under strict
  change<V = any>(key: OtherKey, fn: (value: V | undefined) => V): V
  /** Adds to a number, exactly under any concurrency, and returns the sum as far as this request knows it. An absent key counts as 0. @default by = 1 */
  increment(key: string, by?: number): number
  /** Whether the cookie outlives the browser. */
  permanent: boolean
  /** The idle lifetime of this session in milliseconds ("remember me"). It is stored with the session once you set it. */
  lifetime: number
  /** `true` when there is something to save. Set it to `true` to save in any case. */
  modified: boolean
  /** Set it to `true`, and this request does not move the deadline: for requests that a page makes by itself. */
  polling: boolean
  /** `true` once the request has read or set a value, asked for a key or listed the keys. */
  readonly accessed: boolean
  /** `true` when no stored session came with the request. */
  readonly isNew: boolean
  /** The secret in the cookie; `undefined` while nothing is stored. Never log it. */
  readonly sid: string | undefined
  /** The SHA-256 of the sid, which names the record; `undefined` while nothing is stored. You may show it, log it and put it into a form. */
  readonly recordId: string | undefined
  /** The user to whom the session belongs, as `loginAs` set it. */
  readonly owner: string | undefined
  readonly createdAt: Date
  readonly expiresAt: Date
  /**
   * Logs a user in: gives the session a new sid and an owner. Await it before headers are sent.
   *
   * The data of an anonymous visitor and of the same owner is kept, or only the keys in `keep`. Nothing of another owner is kept.
   *
   * @param owner the application's own id of the user: a string of 1 to 256 characters.
   * @throws SessionError when the store fails, and no new sid is sent; `ERR_SESSION_HEADERS_SENT`.
   */
  loginAs(owner: string, options?: LoginOptions): Promise<void>
  /**
   * Ends the owner's other sessions ("log out everywhere else") and returns how many it ended. Await it.
   *
   * @throws TypeError when the store cannot list the sessions of an owner; SessionError when the store fails.
   */
  endOthers(): Promise<number>
  /**
   * Gives the session a new sid with the same data. The old sid stops working at once. Await it before headers are sent.
   *
   * For a login use `loginAs`. Call this at every other change of privilege (OWASP: against session fixation).
   *
   * @throws SessionError when the store fails, and no new sid is sent; `ERR_SESSION_HEADERS_SENT`.
   */
  regenerate(callback?: Callback): Promise<void>
  /** Removes the record and the cookie at once. Await it. @throws SessionError when the store fails; the cookie is cleared anyway. */
  destroy(callback?: Callback): Promise<void>
  /**
   * Saves now, for example before you flush the headers of a stream. Await it. Resolves to `false` when the session was gone and the changes
   * were dropped.
   *
   * @throws SessionError that says why the session could not be saved.
   */
  save(callback?: Callback): Promise<boolean>
  /**
   * Updates the data from the store and keeps this request's changes: for a long request. Await it. Resolves to `false` when the session is
   * gone; its data is then empty.
   */
  reload(callback?: Callback): Promise<boolean>
}
