/*
 * Types for the official driver (package mongodb, version 4 or later). They have only the methods that the store calls, and do not import the
 * driver.
 */

export interface MongoClient {
  /** @param name absent: the database in the client's URL. */
  db(name?: string): MongoDatabase
}

export interface MongoDatabase {
  collection(name: string): MongoCollection
}

export interface MongoCollection {
  findOne(filter: object, options: object): Promise<object | null>
  find(filter: object, options: object): AsyncIterable<object>
  insertOne(document: object, options: object): Promise<object>
  replaceOne(filter: object, document: object, options: object): Promise<object>
  deleteOne(filter: object, options: object): Promise<object>
  deleteMany(filter: object, options: object): Promise<object>
  createIndex(keys: { [field: string]: 1 }, options: object): Promise<string>
}

/** The addresses of a collection's servers, without a user and a password. Drivers before version 6 show them only with the client. */
export function addressesOf(collection: MongoCollection): string {
  const { client } = collection as { client?: { options?: { srvHost?: unknown; hosts?: unknown } } }
  const { srvHost, hosts } = client?.options ?? {}
  if (typeof srvHost === 'string') return srvHost
  return Array.isArray(hosts) && hosts.length > 0 ? hosts.map(String).join(', ') : 'an unknown address'
}

export function isClient(value: unknown): value is MongoClient {
  return hasMethods(value, ['db'])
}

export function isDatabase(value: unknown): value is MongoDatabase {
  return hasMethods(value, ['collection'])
}

export function isCollection(value: unknown): value is MongoCollection {
  return hasMethods(value, ['findOne', 'find', 'insertOne', 'replaceOne', 'deleteOne', 'deleteMany', 'createIndex'])
}

function hasMethods(value: unknown, names: readonly string[]): boolean {
  // Mongoose's models are functions.
  if (typeof value !== 'object' || value === null) return false
  return names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function')
}
