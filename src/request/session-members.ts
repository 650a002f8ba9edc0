/**
 * The type of what a session holds: augment it, and `ctx.session` knows its keys. As long as nobody does, every key is
 * allowed and `unknown`.
 *
 * @example
 * declare module 'koa-keepsake' {
 *   interface SessionData { user?: string; cart?: { items: string[] } }
 * }
 */
// oxlint-disable-next-line typescript/no-empty-interface, typescript/no-empty-object-type -- empty, to be augmented
export interface SessionData {}

/** What `ctx.session` holds, as the application declared it. */
type Known = keyof SessionData & string
type Data = Known extends never ? { [key: string]: unknown } : SessionData

/** A key of which `SessionData` says nothing: any, as long as it is not augmented. */
type Other<K extends string> = K extends Known ? never : K

/** What `ctx.session` is: the data as properties, and the members. */
export type Session = Data & SessionMembers

/** The members of `ctx.session`, which are never data; keys of these names go through `get` and `set`. */
export interface SessionMembers {
  /** The value under a key, or the fallback when there is none. Any string is a key, `__proto__` and `get` too. */
  get<K extends Known>(key: K): SessionData[K] | undefined
  get<K extends Known, F>(key: K, fallback: F): Exclude<SessionData[K], undefined> | F
  get<K extends string>(key: Other<K>, fallback?: unknown): unknown
  /** Sets a key. `undefined` deletes it. */
  set<K extends Known>(key: K, value: SessionData[K]): void
  set<K extends string>(key: Other<K>, value: unknown): void
  /** Whether there is such a key. */
  has(key: string): boolean
  /** Removes a key and returns its value, or the fallback when there is none. */
  pop<K extends Known>(key: K): SessionData[K] | undefined
  pop<K extends Known, F>(key: K, fallback: F): Exclude<SessionData[K], undefined> | F
  pop<K extends string>(key: Other<K>, fallback?: unknown): unknown
  /** Sets a key that is not there yet; returns what is there afterwards, which may be changed in place. */
  setDefault<K extends Known>(key: K, value: Exclude<SessionData[K], undefined>): Exclude<SessionData[K], undefined>
  setDefault<V, K extends string = string>(key: Other<K>, value: V): V
  /** Sets every key of the object. */
  update(object: Partial<Data>): void
  /** Empties the session; at the end of the request, unless something is set again, its record and cookie go. */
  clear(): void
  /**
   * Replaces the value under a key by what the function makes of it, exactly, whatever other requests do meanwhile.
   *
   * @param fn pure: it may run again on a newer value. `undefined` deletes the key.
   * @returns the new value as far as this request knows.
   * @example ctx.session.change('visits', (n: number = 0) => n + 1)
   */
  change<K extends Known>(key: K, fn: (value: SessionData[K] | undefined) => SessionData[K] | undefined): SessionData[K] | undefined
  change<V, K extends string = string>(key: Other<K>, fn: (value: V | undefined) => V | undefined): V | undefined
  /** Whether the cookie outlives the browser. */
  permanent: boolean
  /** Idle lifetime of this session in milliseconds ("remember me"); stored with it once set. */
  lifetime: number
  /** Whether there is something to save. Set it to `true` to save in any case. */
  modified: boolean
  /** Whether anything was read, asked for, listed or set. */
  readonly accessed: boolean
  /** Whether no stored session came with the request. */
  readonly isNew: boolean
  /** The secret in the cookie; `undefined` as long as nothing is stored. Never log it. */
  readonly sid: string | undefined
  readonly createdAt: Date
  readonly expiresAt: Date
  /**
   * Gives the session a new sid with the same data; the old one is dead at once. Call it at every change of privilege
   * (OWASP session management: against session fixation). To be awaited, before headers are sent.
   *
   * @throws SessionError when the store fails, in which case no new sid goes out; `ERR_SESSION_HEADERS_SENT`.
   */
  regenerate(): Promise<void>
  /** Removes record and cookie at once. To be awaited. @throws SessionError when the store fails; the cookie goes anyway. */
  destroy(): Promise<void>
  /** Saves now, before the headers of a stream are flushed. To be awaited. @throws SessionError, see its codes. */
  save(): Promise<void>
}
