// The drivers' clients, by store: the same for every variant on that store.
import { join } from 'node:path'

/** How long memcached may take to answer, in milliseconds: a slow machine is no failure. */
const patience = 10_000

export const clients = {
  async redis({ url }) {
    const { createClient } = await import('redis')
    // Without the timer that node-redis 6 starts for each command, as the README advises: it was measured to cost more than the command
    // itself, and would hide what a store costs.
    return createClient({ url, commandOptions: { timeout: undefined } }).connect()
  },
  async memcached({ url }) {
    const { MemcacheClient } = await import('memcache-client')
    return new MemcacheClient({ server: url, cmdTimeout: patience, connectTimeout: patience, noDelay: true })
  },
  async mongo({ url }) {
    const { MongoClient } = await import('mongodb')
    return new MongoClient(url).connect()
  },
  postgres: ({ url }) => openKnex({ client: 'pg', connection: url, pool: { min: 0, max: 10 } }),
  mariadb: ({ url }) => openKnex({ client: 'mysql2', connection: { uri: url }, pool: { min: 0, max: 10 } }),
  // As storeFromUrl('sqlite:…') opens it.
  sqlite: ({ dir }) =>
    openKnex({
      client: 'better-sqlite3',
      connection: { filename: join(dir, 'sessions.db') },
      useNullAsDefault: true,
      pool: {
        min: 0,
        max: 1,
        afterCreate(database, done) {
          for (const setting of ['busy_timeout = 5', 'journal_mode = wal', 'synchronous = normal']) database.pragma(setting)
          done(null, database)
        }
      }
    })
}

async function openKnex(config) {
  const { default: makeKnex } = await import('knex')
  return makeKnex(config)
}
