import makeKnex from 'knex'
import { openSql, sqlStore } from '../../src/stores/sql/index.js'
import type { SessionStore } from '../../src/store/index.js'
import { mysqlConnection, patience } from './sql.js'

/** The SQL store of a process of a fleet. The argument is the URL of a database that has a table. */
export default function makeStore(url: string): SessionStore {
  if (url.startsWith('sqlite:')) return openSql(new URL(url), { timeout: patience })
  const pool = { min: 0, max: 10 }
  const knex = makeKnex(url.startsWith('mysql:') ? { client: 'mysql2', connection: mysqlConnection(url), pool } : { client: 'pg', connection: url, pool })
  return sqlStore({ knex, timeout: patience })
}
