export { mongoStore } from './mongo-store.js'
export { openMongo } from './open-mongo.js'
export type { MongoClient, MongoCollection, MongoDatabase } from './client.js'
export type { MongoStoreOptions, MongoUrlOptions, MongoWriteConcern } from './options.js'
