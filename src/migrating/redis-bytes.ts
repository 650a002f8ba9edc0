import type { MaybePromise } from '../store/index.js'

/** A store of bytes by key. */
export interface BytesStore {
  get(key: string): MaybePromise<Uint8Array | string | null | undefined>
  destroy(key: string): MaybePromise<unknown>
}

/** A client of `redis` 4 or later, or of `ioredis` 5 or later. */
export interface RedisBytesClient {
  get(key: string): Promise<unknown>
  del(key: string): Promise<unknown>
}

/** The methods by which the drivers return bytes instead of text. */
interface ByDriver extends RedisBytesClient {
  /** ioredis. */
  getBuffer?(key: string): Promise<Uint8Array | null>
  /** redis 5 and later. */
  withTypeMapping?(types: { [type: number]: unknown }): { get(key: string): Promise<Uint8Array | null> }
  /** redis 4; its cluster client expects other arguments. */
  sendCommand?(args: string[], options: { returnBuffers: true }): Promise<Uint8Array | null>
  readonly nodeClient?: unknown
}

/** The type of Redis' bulk strings in the protocol: a dollar sign. */
const bulkString = 36

/** Makes a store of bytes from a client. @throws TypeError for a client that cannot return bytes. */
export function bytesStoreOf(client: RedisBytesClient, where: string): BytesStore {
  const get = getterOf(client)
  if (!get) throw new TypeError(`${where}: client must be a client of redis 4 or later or of ioredis 5 or later; for any other, and for a cluster of redis 4, use store`)
  return { get, destroy: (key) => client.del(key) }
}

function getterOf(client: ByDriver): BytesStore['get'] | undefined {
  if (typeof client.del !== 'function') return undefined
  if (client.getBuffer) return (key) => client.getBuffer!(key)
  const mapped = client.withTypeMapping?.({ [bulkString]: Buffer })
  if (mapped) return (key) => mapped.get(key)
  if (client.sendCommand && client.nodeClient === undefined) return (key) => client.sendCommand!(['GET', key], { returnBuffers: true })
  return undefined
}
