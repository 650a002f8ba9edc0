/** Runs scripts: a client, or one of its connections. The script may only use that one key. */
export interface ScriptRunner {
  evalSha(sha: string, key: string, args: string[]): Promise<unknown>
  eval(script: string, key: string, args: string[]): Promise<unknown>
}

export interface ScriptConnection extends ScriptRunner {
  /** `WAIT`: how many replicas have confirmed every write of the connection. `timeout` is in milliseconds. */
  wait(replicas: number, timeout: number): Promise<number>
}

/** The commands that the store sends, for any driver and topology. Each names one key, so that a cluster can route it. */
export interface RedisCommands extends ScriptRunner {
  /** What the driver itself puts before every key (`keyPrefix`), but not before patterns. */
  readonly keyPrefix: string
  /** Whether the client sends no command again by itself after it lost the connection. */
  readonly sendsOnce: boolean
  get(key: string): Promise<string | undefined>
  /** `SET NX PX`. `false`: the key is there. `ttl` is in milliseconds. */
  setNew(key: string, text: string, ttl: number): Promise<boolean>
  /** Runs work whose scripts use the key, and whose `wait` is sent on the connection that carried them. */
  onConnection<T>(key: string, work: (connection: ScriptConnection) => Promise<T>): Promise<T>
  /** Pages of the keys of strings that match, from every master. A key may come twice. */
  scan(pattern: string): AsyncIterable<string[]>
  /** `CONFIG GET maxmemory-policy`, from one master. */
  evictionPolicy(): Promise<string>
}

/** The text under a key. `undefined`: there is none. @throws Error for an answer that is neither: as "none" it would log everybody out. */
export function textOf(reply: unknown): string | undefined {
  if (reply === null) return undefined
  const text = asText(reply)
  if (text === undefined) throw unexpected(reply)
  return text
}

/** The error for the answer of a client that takes callbacks, or maps replies to types of its own. */
export function unexpected(reply: unknown): Error {
  return new Error(`the Redis client answered ${typeof reply} where text is expected: give the store a client with promises and no type mapping`)
}

/** A string, or the bytes that a client may be set to answer instead. */
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

/** How many keys a page of a scan has: to look at a thousand holds Redis' one thread for well under a millisecond. */
export const pageSize = 1000
