import { assertOptionNames, assertOption, isCount, isDataObject, kindOf, OptionChecks } from '../../checks.js'
import { isClient, isCollection, isDatabase, type MongoClient, type MongoCollection, type MongoDatabase } from './client.js'

/** The members of a replica set that must confirm a write before it succeeds. */
export interface MongoWriteConcern {
  /** `'majority'`, a number of members, or the name of a set of members that MongoDB's configuration defines. @default 'majority' */
  w?: number | string | undefined
  /** How long the members may take, in milliseconds. Keep it below the middleware's `storeTimeout`. @default 1_000 */
  wtimeoutMS?: number | undefined
  /** Whether the write must be in the journal on disk. @default MongoDB decides: for `'majority'` it must */
  journal?: boolean | undefined
}

/** Give one of `client`, `db` and `collection`. The store does not close it. */
export interface MongoStoreOptions {
  /** A `MongoClient` of the package mongodb. It connects with the first call if you have not connected it. */
  client?: MongoClient | undefined
  db?: MongoDatabase | undefined
  collection?: MongoCollection | undefined
  /** The name of the database, with `client`. @default the database in the client's URL, or else MongoDB's own default, `test` */
  database?: string | undefined
  /** The name of the collection, with `client` or `db`. @default 'sessions' */
  collectionName?: string | undefined
  writeConcern?: MongoWriteConcern | undefined
  /** Whether the store creates its two indexes if they are missing. @default true */
  createIndexes?: boolean | undefined
}

/** The options of a store that a URL names. */
export type MongoUrlOptions = Omit<MongoStoreOptions, 'client' | 'db' | 'collection'>

/** The options with every default filled in and every check passed. */
export interface MongoSettings {
  readonly collection: MongoCollection
  readonly writeConcern: object
  readonly createIndexes: boolean
}

// Mapped types over the interfaces: the compiler keeps the lists complete.
const optionNames = Object.keys({
  client: 0, db: 0, collection: 0, database: 0, collectionName: 0, writeConcern: 0, createIndexes: 0
} satisfies { [Name in keyof Required<MongoStoreOptions>]: 0 })
const concernNames = Object.keys({ w: 0, wtimeoutMS: 0, journal: 0 } satisfies { [Name in keyof Required<MongoWriteConcern>]: 0 })

/** The default of `wtimeoutMS`: below the middleware's `storeTimeout` (2 s), so that the error says what the write waited for. */
const writeTimeout = 1_000

/** @throws TypeError that names the option and what is expected. */
export function resolveOptions(where: string, options: MongoStoreOptions): MongoSettings {
  if (isClient(options) || isDatabase(options) || isCollection(options)) throw new TypeError(`${where}: expected an object of options: write mongoStore({ client })`)
  const checks = new OptionChecks(where)
  checks.names(options, optionNames)
  const { createIndexes = true } = options
  checks.option('createIndexes', createIndexes, typeof createIndexes === 'boolean', 'true or false')
  const collection = checks.include(() => collectionOf(where, options))
  const writeConcern = checks.include(() => resolveWriteConcern(where, options.writeConcern))
  checks.throwIfAny()
  return { collection: collection!, writeConcern: writeConcern!, createIndexes }
}

function collectionOf(where: string, options: MongoStoreOptions): MongoCollection {
  const { client, db, collection, database, collectionName } = options
  if ([client, db, collection].filter((given) => given !== undefined).length !== 1) throw new TypeError(`${where}: give one of client, db and collection`)
  if (database !== undefined && client === undefined) throw new TypeError(`${where}: database cannot be with ${db ? 'db' : 'collection'}, which belongs to one already`)
  if (collectionName !== undefined && collection !== undefined) throw new TypeError(`${where}: collectionName cannot be with collection, which has one already`)
  for (const [name, value] of Object.entries({ database, collectionName })) {
    assertOption(where, name, value, value === undefined || isName(value), 'a name without $ and NUL')
  }
  if (collection !== undefined) {
    assertOption(where, 'collection', collection, isCollection(collection), `a collection of the package mongodb${adviceOn(collection)}`, kindOf)
    return collection
  }
  if (client !== undefined) assertOption(where, 'client', client, isClient(client), `a MongoClient of the package mongodb${adviceOn(client)}`, kindOf)
  if (db !== undefined) assertOption(where, 'db', db, isDatabase(db), `a database of the package mongodb, client.db()${adviceOn(db)}`, kindOf)
  return (db ?? client!.db(database)).collection(collectionName ?? 'sessions')
}

function resolveWriteConcern(where: string, given: unknown): object {
  assertOption(where, 'writeConcern', given, given === undefined || isDataObject(given), "an object such as { w: 'majority' }")
  const concern: MongoWriteConcern = given ?? {}
  assertOptionNames(`${where}: writeConcern`, concern, concernNames)
  const { w = 'majority', wtimeoutMS = writeTimeout, journal } = concern
  // With 0, MongoDB does not answer, so that the store could not know whether a save met another one.
  assertOption(where, 'writeConcern.w', w, (typeof w === 'string' && w !== '') || (isCount(w) && w > 0), "'majority', a number of members above 0, or a name")
  assertOption(where, 'writeConcern.wtimeoutMS', wtimeoutMS, isCount(wtimeoutMS), 'a whole number of milliseconds (0 = no limit)')
  assertOption(where, 'writeConcern.journal', journal, journal === undefined || typeof journal === 'boolean', 'true or false')
  return { w, wtimeoutMS, ...(journal !== undefined && { journal }) }
}

function isName(value: unknown): boolean {
  return typeof value === 'string' && value !== '' && !/[$\0]/.test(value)
}

function adviceOn(value: unknown): string {
  if (typeof value === 'string' || value instanceof URL) return " (for a URL, use storeFromUrl('mongodb://…'))"
  if (value instanceof Promise) return ' (await the promise first)'
  if (isClient(value) || isDatabase(value) || isCollection(value)) return ' (this is another of client, db and collection)'
  if (typeof value === 'object' && value !== null && 'getClient' in value) return ' (with Mongoose: client: mongoose.connection.getClient())'
  if (typeof value === 'object' && value !== null && 'connection' in value) return ' (with Mongoose: client: mongoose.connection.getClient())'
  return ''
}
