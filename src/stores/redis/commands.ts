/** What the store asks of Redis, whichever driver and topology carries it. Each call names one key, so that a cluster can route it. */
export interface RedisCommands {
  /** What the driver itself puts before every key (`keyPrefix`), but not before patterns. */
  readonly keyPrefix: string
  get(key: string): Promise<string | undefined>
  /** `SET NX PX`: `false` when the key is there. */
  setNew(key: string, text: string, ttl: number): Promise<boolean>
  /** `GETDEL`. */
  take(key: string): Promise<string | undefined>
  /** `GETDEL`, then `WAIT` on the very connection that carried it: how many replicas have confirmed within the time. */
  takeAndWait(key: string, replicas: number, timeout: number): Promise<{ text: string | undefined; confirmed: number }>
  evalSha(sha: string, key: string, args: string[]): Promise<unknown>
  eval(script: string, key: string, args: string[]): Promise<unknown>
  /** Pages of the keys that match, from every master; a key may come twice. */
  scan(pattern: string): AsyncIterable<string[]>
  /** `CONFIG GET maxmemory-policy`, from one master. */
  evictionPolicy(): Promise<string>
}

/**
 * The text under a key, `undefined` for none.
 *
 * @throws Error for an answer that is neither: taken for "none", it would log everybody out.
 */
export function textOf(reply: unknown): string | undefined {
  if (reply === null) return undefined
  const text = asText(reply)
  if (text === undefined) throw unexpected(reply)
  return text
}

/** What a client answers that is set to callbacks, or maps replies to types of its own. */
export function unexpected(reply: unknown): Error {
  return new Error(`the Redis client answered ${typeof reply} where text is expected: give the store a client with promises and no type mapping`)
}

/** A string, or the bytes that a client may be set to answer in its place. */
export function asText(value: unknown): string | undefined {
  if (typeof value === 'string') return value
  return value instanceof Uint8Array ? Buffer.from(value).toString() : undefined
}

/** The value in a reply to `CONFIG GET`, which drivers give as an object, a Map or a flat list. */
export function configValue(reply: unknown, name: string): string {
  const value: unknown = Array.isArray(reply)
    ? reply[reply.indexOf(name) + 1]
    : reply instanceof Map
      ? reply.get(name)
      : (reply as Record<string, unknown> | null)?.[name]
  return asText(value) ?? ''
}

// Redis' own advice for a page: a thousand keys hold its one thread for well under a millisecond.
export const pageSize = 1000
