import { randomBytes } from 'node:crypto'
import type { Collection, MongoClient } from 'mongodb'
import type { Json, SessionRecord, StoreScope } from '../../src/store/index.js'
import { mongoStore, type MongoStoreOptions } from '../../src/stores/mongo/index.js'
import type { SessionDocument } from '../../src/stores/mongo/document.js'
import { watchStore, type WatchedStore } from '../../src/testing/watched-store.js'
import { newRecord } from './new-record.js'

/** A store in MongoDB with a prefix and a clock of its own, and its collection. */
export interface MongoScope {
  readonly store: WatchedStore
  readonly collection: Collection<SessionDocument>
  /** Another store with the same prefix and clock. */
  readonly another: (client: MongoClient, options?: Partial<MongoStoreOptions>) => WatchedStore
  readonly keyOf: (id: string) => string
  /** Moves the clock forward, in milliseconds. */
  readonly advance: (milliseconds: number) => void
  /** A record that was never stored, with an hour to live. */
  readonly newRecord: (data?: { [key: string]: Json }, fields?: Partial<SessionRecord>) => SessionRecord
}

export function openScope(client: MongoClient, options: Partial<MongoStoreOptions> = {}): MongoScope {
  // MongoDB removes documents by a clock of its own, so this one starts at the real time.
  let time = Date.now()
  const scope: StoreScope = { prefix: `${randomBytes(4).toString('hex')}:`, now: () => time, largest: 20_000_000 }
  const database = options.database ?? 'keepsake'
  const another: MongoScope['another'] = (other, more = {}) => watchStore(mongoStore({ client: other, database, ...options, ...more }).scope!(scope))
  return {
    store: another(client),
    collection: client.db(database).collection<SessionDocument>(options.collectionName ?? 'sessions'),
    another,
    keyOf: (id) => scope.prefix + id,
    advance: (milliseconds) => void (time += milliseconds),
    newRecord: (data, fields) => newRecord(data, fields, time)
  }
}
