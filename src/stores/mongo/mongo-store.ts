import { createStore, type SessionStore } from '../../store/index.js'
import { MongoBackend } from './backend.js'
import { addressesOf } from './client.js'
import { adviceOn } from './failures.js'
import { Indexes } from './indexes.js'
import { resolveOptions, type MongoSettings, type MongoStoreOptions } from './options.js'

/**
 * Keeps sessions in MongoDB: one document for each, in one collection.
 *
 * @throws TypeError for an option that is wrong.
 * @example
 * import { MongoClient } from 'mongodb'
 * const client = new MongoClient('mongodb://localhost:27017/app', { serverSelectionTimeoutMS: 1500, socketTimeoutMS: 1500 })
 * app.use(session({ store: mongoStore({ client }) }))
 */
export function mongoStore(options: MongoStoreOptions): SessionStore {
  return storeOf(resolveOptions('mongoStore(options)', options))
}

/** Makes a store with checked options. @param close closes the client, if the store opened it. */
export function storeOf({ collection, writeConcern, createIndexes }: MongoSettings, close?: () => Promise<void>): SessionStore {
  // All scopes share one object, because the indexes belong to the collection.
  const indexes = createIndexes ? new Indexes(collection) : undefined
  return createStore({
    name: 'mongo',
    backend: (scope, closing) => new MongoBackend(collection, indexes, writeConcern, scope, closing),
    backendName: () => `MongoDB at ${addressesOf(collection)}`,
    whenSlow: 'look at slow operations (db.currentOp()), at the primary, at maxPoolSize of the client and at the network',
    advice: adviceOn,
    ...(close && { close })
  })
}
