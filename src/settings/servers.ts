import { Refusal, type Parse } from './reader.js'

/** The server of a store: a URL that `storeFromUrl()` knows, or a client of the application. */
export interface Server {
  readonly url?: string
  readonly client?: unknown
}

/** The default servers, which are those of Flask-Session. */
export const defaultServers = {
  redis: { url: 'redis://127.0.0.1:6379' },
  memcached: { url: 'memcached://127.0.0.1:11211' },
  mongodb: { url: 'mongodb://127.0.0.1:27017' }
} satisfies Record<string, Server>

export const redisServer: Parse<Server> = server(/^rediss?:\/\//i, `a URL such as ${defaultServers.redis.url}, or a client of redis or ioredis`)

export const mongodbServer: Parse<Server> = server(/^mongodb(?:\+srv)?:\/\//i, `a URL such as ${defaultServers.mongodb.url}, or a MongoClient`)

/** Reports whether a URL of MongoDB names a database. */
export function namesDatabase({ url = '' }: Server): boolean {
  return /^[^:]+:\/\/[^/?]+\/[^?]/.test(url)
}

/** Accepts a URL or a client, and as the Python clients do, `host:port` and lists of it. */
export const memcachedServer: Parse<Server> = (value) => {
  const listed = Array.isArray(value) ? Array.from<unknown>(value) : typeof value === 'string' ? value.split(',') : undefined
  if (!listed) return parseMemcached(value)
  const hosts = listed.map((hostText) => (typeof hostText === 'string' ? hostText.trim().replace(/^memcached:\/\//i, '').replace(/\/$/, '') : ''))
  return parseMemcached(hosts.length > 0 && hosts.every((host) => /^[\w.-]+(?::\d+)?$/.test(host)) ? `memcached://${hosts.join(',')}` : '')
}

const parseMemcached = server(/^memcached:\/\//i, "a URL such as memcached://127.0.0.1:11211, one or more of 'host:port', or a MemcacheClient")

const parseDatabase = server(
  /^(?:postgres|mysql|sqlite):/,
  "a URL such as postgresql://user:password@host/database, mysql://… or sqlite:///sessions.db, or what knex({ client: 'pg', … }) returned"
)

/** Accepts a URL of `storeFromUrl()` or of SQLAlchemy, or a Knex instance. */
export const databaseServer: Parse<Server> = (value) => {
  if (typeof value !== 'string' && !(value instanceof URL)) return parseDatabase(value)
  const url = fromSqlalchemy(String(value))
  if (url === 'sqlite:' || url === 'sqlite::memory:') {
    return new Refusal('must name a file: a database in memory ends with its connection; for sessions in memory use SESSION_TYPE=memory', { hidesValue: true })
  }
  return parseDatabase(url)
}

/** Converts a URL of SQLAlchemy, `dialect+driver://…`, to one of `storeFromUrl()`. An empty text: the dialect is unknown. */
function fromSqlalchemy(url: string): string {
  const [, dialect, rest = ''] = /^(\w+)(?:\+\w+)?(:.*)$/s.exec(url) ?? []
  switch (dialect?.toLowerCase()) {
    case 'postgresql':
    case 'postgres':
      return `postgres${rest}`
    case 'mysql':
    case 'mariadb':
      return `mysql${rest}`
    case 'sqlite':
      return `sqlite:${sqliteFile(rest.slice(1))}`
    default:
      return ''
  }
}

/** Converts the path of a SQLite URL. SQLAlchemy writes it after three slashes (an absolute path has four), and does not decode it. */
function sqliteFile(rest: string): string {
  const [, file, query = ''] = /^\/\/\/([^?]*)(\?.*)?$/s.exec(rest) ?? []
  if (file !== undefined) return file.replaceAll('%', '%25').replaceAll('#', '%23') + query
  return rest === '//' ? '' : rest
}

function server(pattern: RegExp, expected: string): Parse<Server> {
  const refusal = new Refusal(`must be ${expected}`, { hidesValue: true })
  return (value) => {
    if (typeof value === 'string' || value instanceof URL) return pattern.test(String(value)) ? { url: String(value) } : refusal
    return (typeof value === 'object' && value !== null) || typeof value === 'function' ? { client: value } : refusal
  }
}
