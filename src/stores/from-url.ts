import { processWide } from '../process-wide.js'
import type { SessionStore } from '../store/index.js'
import type { FileStoreOptions } from './file/index.js'
import { openMemcached } from './memcached/index.js'
import type { MemoryStoreOptions } from './memory/index.js'
import { openMongo, type MongoUrlOptions } from './mongo/index.js'
import { openFile, openMemory } from './open-local.js'
import { openRedis, type RedisUrlOptions } from './redis/index.js'
import { openSql, type SqlUrlOptions } from './sql/index.js'

/** Options of the store that the URL names. They override those in the URL's query. */
export type StoreFromUrlOptions = Omit<FileStoreOptions, 'dir'> | MemoryStoreOptions | RedisUrlOptions | MongoUrlOptions | SqlUrlOptions | { readonly [name: string]: unknown }

/**
 * Opens a store.
 *
 * @param url the URL as a string: it may name several hosts or a relative path, which `URL` cannot hold. Never quote it in an error, because
 * it may hold a password.
 * @param options the options of `storeFromUrl()`, unchecked.
 * @param where names the call at the start of errors.
 */
export type StoreOpener = (url: string, options: object, where: string) => SessionStore

const where = 'storeFromUrl(url, options)'

/** The openers by the scheme of their URLs. Each loads its driver only when it opens a store. */
const openers = processWide('store schemes', () => new Map<string, StoreOpener>([
  ['file:', openFile],
  ['memory:', openMemory],
  ['redis:', openRedis],
  ['rediss:', openRedis],
  ['memcached:', openMemcached],
  ['mongodb:', openMongo],
  ['mongodb+srv:', openMongo],
  ['postgres:', withUrl(openSql)],
  ['postgresql:', withUrl(openSql)],
  ['mysql:', withUrl(openSql)],
  ['mariadb:', withUrl(openSql)],
  ['sqlite:', withUrl(openSql)]
]))

/**
 * Opens the store that a URL names. `close()` closes what it opened.
 *
 * | URL | store |
 * |---|---|
 * | `file:var/sessions?threshold=5000&mode=600` | files in that directory |
 * | `memory:` | this process |
 * | `redis://[user:password@]host[:port][/database]`, `rediss://…` with TLS | Redis |
 * | `memcached://host[:port][,host[:port]…]` | memcached |
 * | `mongodb://[user:password@]host[:port][,host[:port]…][/database]`, `mongodb+srv://…` | MongoDB |
 * | `postgres://…`, `mysql://…`, `mariadb://…`, `sqlite:var/sessions.db` | a table in a database |
 *
 * It loads the driver at once. The driver connects with the first call to the store.
 *
 * @throws TypeError for a wrong URL or option; Error that says what to install if the driver is missing.
 * @example
 * app.use(session({ store: storeFromUrl('redis://localhost:6379') }))
 */
export function storeFromUrl(url: string | URL, options: StoreFromUrlOptions = {}): SessionStore {
  const text = String(url)
  const scheme = /^[a-z][a-z0-9+.-]*:/i.exec(text)?.[0].toLowerCase()
  if (scheme === undefined) throw new TypeError(`${where}: url must be a URL such as redis://localhost:6379`)
  const open = openers.get(scheme)
  if (!open) throw new TypeError(`${where}: url must begin with one of ${[...openers.keys()].join(', ')}, got ${scheme}`)
  if (typeof options !== 'object' || options === null) throw new TypeError(`${where}: options must be an object`)
  return open(text, options, where)
}

/**
 * Adds a scheme to `storeFromUrl`, or replaces one.
 *
 * @param scheme with its colon: `etcd:`.
 * @example
 * registerStoreScheme('etcd:', (url) => etcdStore({ hosts: new URL(url).host }))
 */
export function registerStoreScheme(scheme: string, opener: StoreOpener): void {
  if (!/^[a-z][a-z0-9+.-]*:$/.test(scheme)) throw new TypeError('registerStoreScheme(scheme, opener): scheme must be lower-case and end with a colon, such as "etcd:"')
  if (typeof opener !== 'function') throw new TypeError('registerStoreScheme(scheme, opener): opener must be a function')
  openers.set(scheme, opener)
}

function withUrl(open: (url: URL, options: object) => SessionStore): StoreOpener {
  return (url, options) => {
    if (!URL.canParse(url)) throw new TypeError(`${where}: url is not a valid URL`)
    return open(new URL(url), options)
  }
}
