import type { SessionStore } from '../store/index.js'
import { cookieStore, type CookieStore } from '../stores/cookie.js'
import { fileStore } from '../stores/file/index.js'
import { storeFromUrl } from '../stores/from-url.js'
import { memcachedStore, type MemcachedClient } from '../stores/memcached/index.js'
import { memoryStore } from '../stores/memory/index.js'
import { mongoStore, type MongoClient } from '../stores/mongo/index.js'
import { redisStore, type RedisClient } from '../stores/redis/index.js'
import { sqlStore, type KnexInstance } from '../stores/sql/index.js'
import { warnOnce } from '../warn-once.js'
import { asProblemOf } from './open-problem.js'
import type { SettingName } from './names.js'
import { withoutAbsent, type SettingsReader } from './reader.js'
import { databaseServer, defaultServers, memcachedServer, mongodbServer, namesDatabase, redisServer, type Server } from './servers.js'
import { storeType, type StoreType } from './store-type.js'
import { count, directory, fileMode, orNone, text } from './values.js'

/** The store that `SESSION_TYPE` chooses. */
export interface ChosenStore {
  readonly isCookie: boolean
  /** @throws TypeError or SessionError that names the setting. */
  open(): SessionStore | CookieStore
}

/** Chooses the store. It reads the settings of every store, so that all values are checked, although only those of the chosen one have an effect. */
export function chooseStore(reader: SettingsReader): ChosenStore {
  const chosen = reader.read('SESSION_TYPE', storeType)
  if (chosen === undefined) warnOfServers(reader)
  const type = chosen ?? 'filesystem'
  const fileOptions = withoutAbsent({
    dir: reader.read('SESSION_FILE_DIR', directory),
    threshold: reader.read('SESSION_FILE_THRESHOLD', count(0)),
    mode: reader.read('SESSION_FILE_MODE', fileMode)
  })
  const sqlOptions = withoutAbsent({
    table: reader.read('SESSION_SQLALCHEMY_TABLE', text),
    schema: reader.read('SESSION_SQLALCHEMY_SCHEMA', orNone(text))
  })
  const redis = reader.read('SESSION_REDIS', orNone(redisServer)) ?? defaultServers.redis
  const memcached = reader.read('SESSION_MEMCACHED', orNone(memcachedServer)) ?? defaultServers.memcached
  const mongodb = reader.read('SESSION_MONGODB', orNone(mongodbServer)) ?? defaultServers.mongodb
  const mongoOptions = withoutAbsent({
    database: reader.read('SESSION_MONGODB_DB', text) ?? (namesDatabase(mongodb) ? undefined : 'flask_session'),
    collectionName: reader.read('SESSION_MONGODB_COLLECT', text)
  })
  const database = reader.read('SESSION_SQLALCHEMY', orNone(databaseServer)) ?? (type === 'sqlalchemy' ? flaskDatabase(reader) : undefined)

  const stores: { readonly [Type in StoreType]: ChosenStore } = {
    cookie: { isCookie: true, open: () => cookieStore() },
    memory: { isCookie: false, open: () => memoryStore() },
    filesystem: { isCookie: false, open: () => asProblemOf('SESSION_FILE_DIR', undefined, () => fileStore(fileOptions)) },
    redis: onServer('SESSION_REDIS', redis, {}, (client) => redisStore({ client: client as RedisClient })),
    memcached: onServer('SESSION_MEMCACHED', memcached, {}, (client) => memcachedStore({ client: client as MemcachedClient })),
    mongodb: onServer('SESSION_MONGODB', mongodb, mongoOptions, (client) => mongoStore({ client: client as MongoClient, ...mongoOptions })),
    sqlalchemy: onServer('SESSION_SQLALCHEMY', database, sqlOptions, (knex) => sqlStore({ knex: knex as KnexInstance, ...sqlOptions }))
  }
  return stores[type]
}

/** Warns if a server is set but no `SESSION_TYPE`: the application probably wants its sessions there, but they are kept in files. */
function warnOfServers(reader: SettingsReader): void {
  const unused = (['SESSION_REDIS', 'SESSION_MEMCACHED', 'SESSION_MONGODB', 'SESSION_SQLALCHEMY'] as const).find((name) => reader.has(name))
  if (unused === undefined) return
  warnOnce(`settings(source): ${unused} has no effect: SESSION_TYPE is not set, so sessions are kept in files; set SESSION_TYPE=${unused.slice('SESSION_'.length).toLowerCase()}`)
}

/** The database of Flask-SQLAlchemy, which Flask-Session uses unless it has its own setting. */
function flaskDatabase(reader: SettingsReader): Server | undefined {
  const database = reader.read('SQLALCHEMY_DATABASE_URI', orNone(databaseServer))
  if (!database && !reader.has('SESSION_SQLALCHEMY') && !reader.has('SQLALCHEMY_DATABASE_URI')) {
    reader.addProblem("SESSION_SQLALCHEMY must be set for SESSION_TYPE=sqlalchemy, to a URL such as postgresql://user:password@host/database or to a Knex instance")
  }
  return database
}

/** Chooses a store on a server. @param options the options of the store for `storeFromUrl()`. */
function onServer(name: SettingName, { url, client }: Server = {}, options: object, useClient: (client: unknown) => SessionStore): ChosenStore {
  return {
    isCookie: false,
    open: () => asProblemOf(name, url, () => (url === undefined ? useClient(client) : storeFromUrl(url, options)))
  }
}
