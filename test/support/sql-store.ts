import makeKnex from 'knex'
import { openSql, sqlStore } from '../../src/stores/sql/index.js'
import type { SessionStore } from '../../src/store/index.js'

/** What is slow on a busy machine is no failure. */
const timeout = 60_000

/** The SQL store of a process of a fleet. The argument is the URL of a database that has a table. */
export default function makeStore(url: string): SessionStore {
  if (url.startsWith('sqlite:')) return openSql(new URL(url), { timeout })
  const knex = makeKnex({ client: url.startsWith('mysql:') ? 'mysql2' : 'pg', connection: url, pool: { min: 0, max: 10 } })
  return sqlStore({ knex, timeout })
}
