import type { SessionStore } from '../../store/index.js'
import { loadDriver } from '../load-driver.js'
import type { MemcachedClient } from './client.js'
import { storeOf } from './memcached-store.js'

interface Driver {
  MemcacheClient: new (options: {
    server: string
    cmdTimeout: number
    connectTimeout: number
    noDelay: boolean
  }) => MemcachedClient & { shutdown(): void }
}

const defaultPort = 11211

// In milliseconds, below the middleware's storeTimeout (2000), so that the driver reports a node that does not answer and closes the
// connection before the middleware gives up.
const connectTimeout = 1000
const commandTimeout = 1500

/**
 * Opens a store on the memcached servers of a URL, `memcached://host[:port][,host[:port]…]`. `close()` closes its clients.
 *
 * `URL` cannot hold several hosts with ports, so pass a string for those. The names of the hosts decide which of them keeps a session, and
 * their order does not matter.
 *
 * @param where names the call at the start of errors.
 * @throws TypeError for another URL; Error that says what to install if the driver is missing.
 */
export function openMemcached(url: string | URL, options: object = {}, where = 'openMemcached(url, options)'): SessionStore {
  const [unknown] = Object.keys(options)
  if (unknown !== undefined) throw new TypeError(`${where}: unknown option "${unknown}"; a store in memcached has no options`)
  const servers = serversOf(String(url), where)
  const { MemcacheClient } = loadDriver(where, ['memcache-client@1.0']).driver as Driver
  const clients = servers.map((server) => new MemcacheClient({ server, cmdTimeout: commandTimeout, connectTimeout, noDelay: true }))
  const nodes = new Map(servers.map((server, index): [string, MemcachedClient] => [server, clients[index]!]))
  return storeOf(nodes, async () => {
    for (const client of clients) client.shutdown()
  })
}

/** The servers of a URL as `host:port`, the only form that the driver takes. */
function serversOf(url: string, where: string): string[] {
  const servers = /^memcached:\/\/([^/?#@]+)\/?$/i.exec(url)?.[1]?.split(',').map(serverOf)
  // Do not quote the URL: somebody may have put a password into it, although the driver cannot use one.
  if (!servers || servers.includes(undefined)) {
    throw new TypeError(`${where}: url must be like memcached://host:11211 or memcached://host1:11211,host2:11211, without a user, a path or an IPv6 address`)
  }
  const all = servers as string[]
  if (new Set(all).size < all.length) throw new TypeError(`${where}: url must name each server once`)
  return all
}

function serverOf(text: string): string | undefined {
  const [, host, port = String(defaultPort)] = /^([\w.-]+)(?::(\d{1,5}))?$/.exec(text) ?? []
  return host === undefined || Number(port) < 1 || Number(port) > 65_535 ? undefined : `${host.toLowerCase()}:${Number(port)}`
}
