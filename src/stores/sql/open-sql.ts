import type { SessionStore } from '../../store/index.js'
import { loadDriver } from '../load-driver.js'
import type { KnexInstance } from './knex.js'
import { assertUrlOptions, defaultTimeout, resolveOptions, type SqlUrlOptions } from './options.js'
import { storeOf } from './sql-store.js'
import { sqliteConfig } from './sqlite-file.js'

type KnexFactory = (config: object) => KnexInstance & { destroy(): Promise<void> }

const where = 'storeFromUrl(url, options)'

/** How many connections one process opens. */
const mostConnections = 10

/** Keeps Knex from printing errors: the store reports the failure of each call. */
const silent = { warn() {}, error() {}, deprecate() {}, debug() {} }

/**
 * Opens the database of a URL: `postgres:`, `postgresql:`, `mysql:`, `mariadb:` or `sqlite:`. Knex and the driver are loaded now, and connect
 * with the first call. The store creates its table when there is none, and closes its connections.
 *
 * @throws TypeError for a wrong URL or option; Error that says what to install.
 */
export function openSql(url: URL, options: SqlUrlOptions = {}): SessionStore {
  assertUrlOptions(where, options)
  const config = configOf(url, options.timeout ?? defaultTimeout)
  const makeKnex = loadDriver(`storeFromUrl('${url.protocol}…')`, ['knex@1.0']).driver as KnexFactory
  const knex = makeKnex({ ...config, log: silent, compileSqlOnError: false })
  const settings = resolveOptions(where, { ...options, knex })
  return storeOf(settings, { close: () => knex.destroy() })
}

/**
 * Makes Knex' configuration. No error may quote the URL, because it may hold a password.
 *
 * @param connectTimeout how long opening a connection may take, in milliseconds.
 */
function configOf(url: URL, connectTimeout: number): object {
  const { protocol, href } = url
  const what = `storeFromUrl('${protocol}…')`
  // destroyTimeoutMillis also limits how long close() waits for a server that does not answer.
  const pool = { min: 0, max: mostConnections, createTimeoutMillis: 2 * connectTimeout, destroyTimeoutMillis: connectTimeout }
  switch (protocol) {
    case 'postgres:':
    case 'postgresql:':
      loadDriver(what, ['pg@8.0'])
      return { client: 'pg', connection: { connectionString: href, connectionTimeoutMillis: connectTimeout, keepAlive: true }, pool }
    case 'mysql:':
    case 'mariadb:':
      loadDriver(what, ['mysql2@2.0'])
      return { client: 'mysql2', connection: { uri: href, connectTimeout }, pool }
    case 'sqlite:':
      loadDriver(what, ['better-sqlite3@8.0'])
      return sqliteConfig(where, url)
    default:
      throw new TypeError(`${where}: url must begin with postgres:, postgresql:, mysql:, mariadb: or sqlite:, got ${protocol}`)
  }
}
