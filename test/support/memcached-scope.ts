import { randomBytes } from 'node:crypto'
import type { Json, SessionRecord, SessionStore, StoreScope } from '../../src/store/index.js'
import { memcachedStore, type MemcachedClient } from '../../src/stores/memcached/index.js'
import { newRecord } from './new-record.js'

/** A store in memcached with a prefix and a clock of its own. */
export interface MemcachedScope {
  readonly store: SessionStore
  /** Another store with the same prefix and clock. */
  readonly another: (client: MemcachedClient) => SessionStore
  readonly keyOf: (id: string) => string
  /** Moves the clock forward, in milliseconds. */
  readonly advance: (milliseconds: number) => void
  /** A record that was never stored, with an hour to live. */
  readonly newRecord: (data?: { [key: string]: Json }, fields?: Partial<SessionRecord>) => SessionRecord
}

export function openScope(client: MemcachedClient, largest = 4_000_000): MemcachedScope {
  // memcached has a clock of its own, so this one starts at the real time.
  let time = Date.now()
  const scope: StoreScope = { prefix: `${randomBytes(4).toString('hex')}:`, now: () => time, largest }
  const another = (other: MemcachedClient): SessionStore => memcachedStore({ client: other }).scope!(scope)
  return {
    store: another(client),
    another,
    keyOf: (id) => scope.prefix + id,
    advance: (milliseconds) => void (time += milliseconds),
    newRecord: (data, fields) => newRecord(data, fields, time)
  }
}
