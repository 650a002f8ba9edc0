import { join } from 'node:path'
import test from 'ava'
import { settingNames } from '../../src/settings/names.js'
import { makeDirectory, spawnDemo } from '../support/demo.js'
import { connectMongo, needsMongo, startMongo } from '../support/mongo.js'
import { needsMemcached, startMemcached } from '../support/memcached.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { needsEngine, servers } from '../support/sql.js'
import { cookieRows, fileRows, memoryRows, unsignedRows } from './settings/local-rows.js'
import { mariaDbRows, memcachedRows, mongoRows, postgresRows, redisRows } from './settings/server-rows.js'
import { checkRows, type Row } from './settings/visit.js'

// Every test starts the demo as a process. Serial, because each start needs a core, and the demo's timeouts are short.

for (const [what, rowsOf] of [['files', fileRows], ['files and bare sids', unsignedRows], ['the cookie', cookieRows], ['memory', memoryRows]] as const) {
  test.serial(`${what}: every setting of the started demo has its effect`, async (t) => {
    await checkRows(t, rowsOf(join(await makeDirectory(t), 'sessions')))
  })
}

needsRedis(test).serial('Redis: every setting of the started demo has its effect', async (t) => {
  const redis = await startRedis()
  t.teardown(redis.stop)
  await checkRows(t, redisRows(redis))
})

needsMemcached(test).serial('memcached: every setting of the started demo has its effect', async (t) => {
  await checkRows(t, memcachedRows(await startMemcached(t)))
})

needsMongo(test).serial('MongoDB: every setting of the started demo has its effect', async (t) => {
  const { url } = await startMongo(t)
  await checkRows(t, mongoRows(url, connectMongo(t, url)))
})

const [postgres, mariaDb] = servers as [(typeof servers)[0], (typeof servers)[0]]

needsEngine(test, postgres).serial('PostgreSQL: every setting of the started demo has its effect', async (t) => {
  const database = await postgres.start()
  t.teardown(() => database.stop())
  const knex = database.connect()
  await knex.raw('create schema keep')
  await checkRows(t, postgresRows(database.url, () => knex))
})

needsEngine(test, mariaDb).serial('MariaDB: every setting of the started demo has its effect', async (t) => {
  const database = await mariaDb.start()
  t.teardown(() => database.stop())
  const knex = database.connect()
  await checkRows(t, mariaDbRows(database.url, () => knex))
})

/** Settings that have no counterpart, and the advice in the error. */
const refused = {
  SESSION_CACHELIB: 'there is no cachelib in Node: use SESSION_TYPE=filesystem, redis or memcached',
  SESSION_DYNAMODB: 'there is no store for DynamoDB: write one with koa-keepsake/store',
  SESSION_DYNAMODB_TABLE: 'there is no store for DynamoDB: write one with koa-keepsake/store',
  SESSION_SQLALCHEMY_SEQUENCE: 'the table has no sequence',
  SESSION_SQLALCHEMY_BIND_KEY: 'there are no binds: set SESSION_SQLALCHEMY'
}

test.serial('a setting without a counterpart ends the demo with one line that names each and says what to do instead', async (t) => {
  const values = Object.fromEntries(Object.keys(refused).map((name) => [name, 'hunter2']))
  const { code, stderr } = await spawnDemo(t, { PORT: '0', SECRET_KEY: 'x'.repeat(43), SESSION_TYPE: 'dynamodb', ...values }).ended
  t.is(code, 1)
  t.regex(stderr, /^koa-keepsake demo: [^\n]+\n$/)
  t.regex(stderr, /SESSION_TYPE must be another type: there is no store for DynamoDB/)
  for (const [name, advice] of Object.entries(refused)) t.true(stderr.includes(`${name} has no counterpart here: ${advice}`), name)
  t.notRegex(stderr, /hunter2/)
})

function notConnected(): never {
  throw new Error('this is for names only')
}

test('the started demo is checked with every setting', (t) => {
  const none = { db: () => undefined as never, cli: async () => '', ask: async () => '' }
  const rows: readonly Row[] = [
    ...[fileRows, unsignedRows, cookieRows, memoryRows].flatMap((rowsOf) => rowsOf('')),
    ...redisRows({ url: '', ...none }), ...memcachedRows({ address: '', ...none }), ...mongoRows('', none), ...postgresRows('', notConnected), ...mariaDbRows('', notConnected)
  ]
  t.deepEqual([...new Set<string>(rows.map(([name]) => name))].toSorted(), [...settingNames].toSorted())
})
