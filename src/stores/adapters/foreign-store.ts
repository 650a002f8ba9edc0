/** A store of another library, with promises. The adapter chooses its keys and values. */
export interface ForeignStore {
  /** `undefined` or `null`: nothing is stored. */
  get(key: string): Promise<unknown>
  /** @param ttl how long to keep the value, in milliseconds. */
  set(key: string, value: ForeignSession, ttl: number): Promise<void>
  destroy(key: string): Promise<void>
}

/** A session in the form that stores of other libraries expect. Some of them read from its cookie how long to keep it. */
export interface ForeignSession {
  readonly cookie: { readonly expires: Date; readonly maxAge: number; readonly originalMaxAge: number }
  /**
   * The record as text, so that no store changes a key or a value in it.
   */
  readonly record: string
}

/** The shortest time to keep a value, in milliseconds. Stores take 0 for "for ever" and refuse negative times. */
const shortestTtl = 60_000

export function sessionOf(record: string, ttl: number): { session: ForeignSession; ttl: number } {
  const maxAge = Math.max(Math.ceil(ttl), shortestTtl)
  return { session: { cookie: { expires: new Date(Date.now() + maxAge), maxAge, originalMaxAge: maxAge }, record }, ttl: maxAge }
}

/** The text of the record in a value; `undefined` if an adapter did not store the value. */
export function textOf(value: unknown): string | undefined {
  const { record } = (typeof value === 'object' && value !== null ? value : {}) as { record?: unknown }
  return typeof record === 'string' ? record : undefined
}
