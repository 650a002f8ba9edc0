import type { Knex } from 'knex'
import type { MongoClient } from 'mongodb'
import type { MemcachedServer } from '../../support/memcached.js'
import { patientUrl } from '../../support/mongo.js'
import type { RedisServer } from '../../support/redis.js'
import type { Row } from './visit.js'

export function redisRows(redis: Pick<RedisServer, 'url' | 'cli'>): readonly Row[] {
  return [
    ['SESSION_TYPE', 'redis', 'the session is in Redis', ({ demo }, t) => t.regex(demo.line, /sessions in Redis at /)],
    ['SESSION_REDIS', redis.url, 'the session is on that server', async ({ id }, t) => t.regex(await redis.cli('GET', `session:${id}`), /"visits":1/)]
  ]
}

export function memcachedRows(memcached: Pick<MemcachedServer, 'address' | 'ask'>): readonly Row[] {
  return [
    ['SESSION_TYPE', 'memcached', 'the session is in memcached', ({ demo }, t) => t.regex(demo.line, /sessions in memcached at /)],
    ['SESSION_MEMCACHED', memcached.address, 'the session is on that server', async ({ id }, t) => t.regex(await memcached.ask(`get session:${id}`), /"visits":1/)]
  ]
}

export function mongoRows(url: string, client: Pick<MongoClient, 'db'>): readonly Row[] {
  const collectionsOf = async (database: string) => (await client.db(database).listCollections().toArray()).map(({ name }) => name)
  return [
    ['SESSION_TYPE', 'mongodb', 'the session is in MongoDB', ({ demo }, t) => t.regex(demo.line, /sessions in MongoDB at /)],
    ['SESSION_MONGODB', patientUrl(url), 'the session is on that server', async ({ id }, t) => {
      const document = await client.db('app').collection<{ _id: string; record: string }>('visits').findOne({ _id: `session:${id}` })
      t.regex(document!.record, /"visits":1/)
    }],
    ['SESSION_MONGODB_DB', 'app', 'the name of the database', async (_, t) => t.deepEqual(await collectionsOf('flask_session'), [])],
    ['SESSION_MONGODB_COLLECT', 'visits', 'the name of the collection', async (_, t) => t.deepEqual(await collectionsOf('app'), ['visits'])]
  ]
}

/** @param connect to that database, in which the schema `keep` exists. */
export function postgresRows(url: string, connect: () => Knex): readonly Row[] {
  return [
    ['SESSION_TYPE', 'sqlalchemy', 'the session is in a table', ({ demo }, t) => t.regex(demo.line, /sessions in a table in /)],
    ['SESSION_SQLALCHEMY', url.replace(/^postgres:/, 'postgresql+psycopg2:'), 'the session is in that database', async ({ id }, t) => {
      t.is((await connect()('keep.visits').where({ id: `session:${id}` })).length, 1)
    }],
    ['SESSION_SQLALCHEMY_TABLE', 'visits', 'the name of the table', async (_, t) => t.deepEqual(await tablesOf(connect()), [{ table_schema: 'keep', table_name: 'visits' }])],
    ['SESSION_SQLALCHEMY_SCHEMA', 'keep', 'the schema of the table', async (_, t) => t.deepEqual(await tablesOf(connect()), [{ table_schema: 'keep', table_name: 'visits' }])]
  ]
}

export function mariaDbRows(url: string, connect: () => Knex): readonly Row[] {
  return [
    ['SESSION_TYPE', 'sql', 'the session is in a table', ({ demo }, t) => t.regex(demo.line, /sessions in a table in /)],
    ['SQLALCHEMY_DATABASE_URI', url.replace(/^mysql:/, 'mysql+pymysql:'), "the session is in Flask-SQLAlchemy's database", async ({ id }, t) => {
      t.is((await connect()('sessions').where({ id: `session:${id}` })).length, 1)
    }]
  ]
}

async function tablesOf(knex: Knex): Promise<unknown[]> {
  return knex('information_schema.tables').select('table_schema', 'table_name').whereNotIn('table_schema', ['pg_catalog', 'information_schema'])
}
