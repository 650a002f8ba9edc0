import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createClient } from 'redis'
import { asProblemOf } from '../../src/settings/open-problem.js'
import { settings, type SettingsSource } from '../../src/settings/index.js'
import { isCookieStore } from '../../src/stores/cookie.js'
import type { SessionStore } from '../../src/store/index.js'
import { fileOf, newRecord, tempDir, until } from '../support/files.js'
import { connectMemcached, needsMemcached, startMemcached } from '../support/memcached.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { connectMongo, needsMongo, patientUrl, startMongo } from '../support/mongo.js'
import { collect, needsEngine, servers } from '../support/sql.js'

/** The store that the settings choose. It is closed when the test ends. */
function open(t: ExecutionContext, source: SettingsSource): SessionStore {
  const { store } = settings(source)
  if (store === undefined || isCookieStore(store)) throw new Error('no store with records')
  t.teardown(() => store.close?.())
  return store
}

/** The id of a record that the store has taken and given back. */
async function keep(store: SessionStore): Promise<string> {
  const record = newRecord({ kept: true })
  await store.create(record.id, record)
  const { data } = (await store.read(record.id))!
  if (data['kept'] !== true) throw new Error('not kept')
  return record.id
}

for (const type of ['null', 'NULL', 'cookie', null]) {
  test(`SESSION_TYPE: ${JSON.stringify(type)} keeps sessions in the cookie`, (t) => t.true(isCookieStore(settings({ SESSION_TYPE: type }).store)))
}

for (const type of ['filesystem', 'file', 'FileSystem', undefined]) {
  test(`SESSION_TYPE=${type} keeps sessions in files, with the mode and in the directory that were set`, async (t) => {
    const dir = join(tempDir(t), 'kept')
    const id = await keep(open(t, { SESSION_TYPE: type, SESSION_FILE_DIR: dir, SESSION_FILE_MODE: '640' }))
    t.is((await stat(fileOf(dir, id))).mode & 0o777, 0o640)
  })
}

const modes: readonly [given: string | number, mode: number][] = [
  [0o600, 0o600], ['384', 0o600], ['0o600', 0o600], ['0600', 0o600], ['600', 0o600],
  [416, 0o640], ['416', 0o640], ['640', 0o640], [432, 0o660], ['660', 0o660], ['0O644', 0o644], ['438', 0o666]
]
for (const [given, mode] of modes) {
  test(`SESSION_FILE_MODE: ${JSON.stringify(given)} is ${mode.toString(8)}`, async (t) => {
    const dir = tempDir(t)
    const id = await keep(open(t, { SESSION_FILE_DIR: dir, SESSION_FILE_MODE: given }))
    t.is((await stat(fileOf(dir, id))).mode & 0o777, mode)
  })
}

test('SESSION_FILE_THRESHOLD limits the files', async (t) => {
  const store = open(t, { SESSION_FILE_DIR: tempDir(t), SESSION_FILE_THRESHOLD: '10' })
  for (let count = 0; count < 20; count++) await keep(store)
  await until(async () => (await collect(store.records!())).length <= 10)
  t.pass()
})

test('SESSION_TYPE=memory keeps sessions in the process, whatever other stores are set to', async (t) => {
  const store = open(t, { SESSION_TYPE: 'memory', SESSION_REDIS: 'redis://nowhere.invalid', SESSION_FILE_DIR: '/dev/null/sessions', SESSION_SQLALCHEMY: 'sqlite:////dev/null/x' })
  await keep(store)
  t.pass()
})

needsRedis(test)('SESSION_TYPE=redis keeps sessions in the server of a URL or of a client', async (t) => {
  const server = await startRedis()
  t.teardown(server.stop)
  const client = createClient({ url: server.url })
  await client.connect()
  t.teardown(() => client.destroy())
  for (const SESSION_REDIS of [server.url, new URL(server.url), client]) {
    const id = await keep(open(t, { SESSION_TYPE: 'redis', SESSION_REDIS }))
    t.is(await client.exists(`session:${id}`), 1)
  }
})

needsMemcached(test)('SESSION_TYPE=memcached keeps sessions in the servers of a URL, of a list or of a client', async (t) => {
  const [one, other] = [await startMemcached(t), await startMemcached(t)]
  for (const SESSION_MEMCACHED of [one.address, `memcached://${one.address}`, [one.address, other.address], `${one.address}, ${other.address}`, connectMemcached(t, one.address)]) {
    await keep(open(t, { SESSION_TYPE: 'memcached', SESSION_MEMCACHED }))
  }
  t.pass()
})

test('SESSION_TYPE=sqlalchemy keeps sessions in the file of a URL of SQLAlchemy, in a table that is created', async (t) => {
  const file = join(tempDir(t), 'a #b.db')
  for (const source of [{ SESSION_SQLALCHEMY: `sqlite:///${file}` }, { SESSION_SQLALCHEMY: `sqlite+pysqlite:///${file}` }, { SQLALCHEMY_DATABASE_URI: `sqlite:///${file}` }]) {
    await keep(open(t, { SESSION_TYPE: 'sqlalchemy', SESSION_SQLALCHEMY_TABLE: 'web_sessions', ...source }))
    t.true((await stat(file)).isFile())
  }
})

for (const engine of servers) {
  needsEngine(test, engine)(`SESSION_TYPE=sql keeps sessions in ${engine.name}, by a URL of SQLAlchemy or a Knex instance, in the table and schema that were set`, async (t) => {
    const database = await engine.start()
    t.teardown(() => database.stop())
    const knex = database.connect()
    const url = database.url.replace('postgres:', 'postgresql+psycopg2:').replace('mysql:', 'mysql+pymysql:')
    await knex.raw('create schema shop')
    const names = { SESSION_TYPE: 'sql', SESSION_SQLALCHEMY_TABLE: 'web_sessions', SESSION_SQLALCHEMY_SCHEMA: 'shop' }
    for (const SESSION_SQLALCHEMY of [url, knex]) await keep(open(t, { ...names, SESSION_SQLALCHEMY }))
    t.is((await knex.withSchema('shop').table('web_sessions')).length, 2)
  })
}

needsMongo(test)('SESSION_TYPE=mongodb keeps sessions in the server of a URL or of a client, in the database and collection that were set', async (t) => {
  const server = await startMongo(t)
  const client = connectMongo(t, server.url)
  const countIn = (database: string, collection: string) => client.db(database).collection(collection).countDocuments()
  for (const SESSION_MONGODB of [patientUrl(server.url), client]) {
    await keep(open(t, { SESSION_TYPE: 'mongodb', SESSION_MONGODB }))
    await keep(open(t, { SESSION_TYPE: 'mongodb', SESSION_MONGODB, SESSION_MONGODB_DB: 'shop', SESSION_MONGODB_COLLECT: 'visits' }))
  }
  await keep(open(t, { SESSION_TYPE: 'mongodb', SESSION_MONGODB: patientUrl(`${server.url}/named`) }))
  t.deepEqual([await countIn('flask_session', 'sessions'), await countIn('shop', 'visits'), await countIn('named', 'sessions')], [2, 2, 1])
})

test('SESSION_TYPE=sqlalchemy without a database is refused', (t) => {
  t.throws(() => settings({ SESSION_TYPE: 'sqlalchemy' }), { instanceOf: TypeError, message: /SESSION_SQLALCHEMY must be set for SESSION_TYPE=sqlalchemy, to a URL such as / })
})

const wrong: readonly [source: SettingsSource, message: RegExp][] = [
  [{ SESSION_TYPE: 'redis', SESSION_REDIS: {} }, /^settings\(source\): SESSION_REDIS: redisStore\(options\): client must be a client of redis/],
  [{ SESSION_TYPE: 'memcached', SESSION_MEMCACHED: {} }, /^settings\(source\): SESSION_MEMCACHED: memcachedStore\(options\): client must be/],
  [{ SESSION_TYPE: 'memcached', SESSION_MEMCACHED: 'h:99999' }, /^settings\(source\): SESSION_MEMCACHED: .*url must be/],
  [{ SESSION_TYPE: 'mongodb', SESSION_MONGODB: {} }, /^settings\(source\): SESSION_MONGODB: mongoStore\(options\): client must be/],
  [{ SESSION_TYPE: 'mongodb', SESSION_MONGODB: 'mongodb://h', SESSION_MONGODB_DB: 'a$b' }, /^settings\(source\): SESSION_MONGODB: .*database must be/],
  [{ SESSION_TYPE: 'sql', SESSION_SQLALCHEMY: {} }, /^settings\(source\): SESSION_SQLALCHEMY: sqlStore\(options\): knex must be/],
  [{ SESSION_TYPE: 'sql', SESSION_SQLALCHEMY: 'postgresql://h/d', SESSION_SQLALCHEMY_TABLE: 'my table' }, /^settings\(source\): SESSION_SQLALCHEMY: .*table must have/]
]
for (const [source, message] of wrong) {
  test(`an error of the store names the setting: ${JSON.stringify(source)}`, (t) => void t.throws(() => settings(source), { instanceOf: TypeError, message }))
}

test('a missing driver is a SessionError that names the setting and says what to install', (t) => {
  t.throws(() => asProblemOf('SESSION_REDIS', 'redis://h', () => fail(new Error("storeFromUrl('redis://…') needs a driver that is not installed: npm install redis"))), {
    name: 'SessionError',
    code: 'ERR_SESSION_STORE',
    message: /^settings\(source\): SESSION_REDIS: .*npm install redis$/
  })
})

test('a reason that quotes the URL or its password is left out', (t) => {
  for (const reason of ['no redis://:p%40ss@h', 'password p@ss is wrong', 'password p%40ss is wrong']) {
    const error = t.throws(() => asProblemOf('SESSION_REDIS', 'redis://:p%40ss@h', () => fail(new TypeError(reason))))
    t.notRegex(error.message, /p@ss|p%40ss/)
    t.is(error.cause, undefined)
  }
})

function fail(error: Error): never {
  throw error
}
