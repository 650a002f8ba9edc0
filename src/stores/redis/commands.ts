/** A client, or one of its connections, that runs scripts. A script may use only the given key. */
export interface ScriptRunner {
  evalSha(sha: string, key: string, args: string[]): Promise<unknown>
  eval(script: string, key: string, args: string[]): Promise<unknown>
}

export interface ScriptConnection extends ScriptRunner {
  /** `WAIT`: returns how many replicas have confirmed all writes of the connection. `timeout` is in milliseconds. */
  wait(replicas: number, timeout: number): Promise<number>
}

/** The commands that the store sends, for any driver and topology. Each names one key, so that a cluster can route it. */
export interface RedisCommands extends ScriptRunner {
  /** The prefix that the driver itself puts before every key (its option `keyPrefix`), but not before patterns. */
  readonly keyPrefix: string
  /** `true` if the client never sends a command again by itself after it has lost the connection. */
  readonly sendsOnce: boolean
  get(key: string): Promise<string | undefined>
  /** `SET NX PX`. `false`: the key exists. `ttl` is in milliseconds. */
  setNew(key: string, text: string, ttl: number): Promise<boolean>
  /** Runs work whose scripts use the key. Its `wait` is sent on the same connection as the scripts. */
  onConnection<T>(key: string, work: (connection: ScriptConnection) => Promise<T>): Promise<T>
  /** Lists the matching keys of strings in pages, from every master. A key may be listed twice. */
  scan(pattern: string): AsyncIterable<string[]>
  /** `CONFIG GET maxmemory-policy`, from one master. */
  evictionPolicy(): Promise<string>
}

/** The text in a reply. `undefined`: there is none. @throws Error for any other reply: to take it for "no session" would log everybody out. */
export function textOf(reply: unknown): string | undefined {
  if (reply === null) return undefined
  const text = asText(reply)
  if (text === undefined) throw unexpected(reply)
  return text
}

/** Makes the error for the reply of a client that takes callbacks, or that maps replies to types of its own. */
export function unexpected(reply: unknown): Error {
  return new Error(`the Redis client answered ${typeof reply} where text is expected: give the store a client with promises and no type mapping`)
}

/** The text of a string, or of the bytes that some clients are set to return instead. */
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

/** How many keys a page of a scan has. A thousand keep Redis' only thread busy for well under a millisecond. */
export const pageSize = 1000
