import { assertOption, isDataObject, kindOf, OptionChecks } from '../../checks.js'
import { createStore, type SessionStore } from '../../store/index.js'
import { MemcachedBackend } from './backend.js'
import { addressesOf, type MemcachedClient } from './client.js'
import { adviceOf } from './failure.js'
import { distribute } from './nodes.js'

/** Give either `client` or `clients`. */
export interface MemcachedStoreOptions {
  /** A client for one memcached: `new MemcacheClient({ server: '127.0.0.1:11211' })`. The store does not close it. */
  client?: MemcachedClient | undefined
  /**
   * One client for each of several memcached nodes, by the node's name. The names decide which node keeps which session, so they must
   * be the same in every process, and a node that moves to another address keeps its name.
   */
  clients?: { readonly [name: string]: MemcachedClient } | undefined
}

const methods = ['gets', 'add', 'cas'] as const

/**
 * Keeps sessions in memcached, through a client of the package memcache-client.
 *
 * memcached is a cache: it may evict any session when it is full, and forgets all when it restarts. Their users are then logged out.
 * The store cannot list sessions.
 *
 * @throws TypeError for a client without the methods that the store needs.
 * @example
 * import { MemcacheClient } from 'memcache-client'
 * const client = new MemcacheClient({ server: '127.0.0.1:11211', cmdTimeout: 1500, connectTimeout: 1000, noDelay: true })
 * app.use(session({ store: memcachedStore({ client }) }))
 */
export function memcachedStore(options: MemcachedStoreOptions): SessionStore {
  return storeOf(nodesOf(options))
}

/** Makes a store on these nodes. @param close closes the clients, if the store opened them. */
export function storeOf(nodes: ReadonlyMap<string, MemcachedClient>, close?: () => Promise<void>): SessionStore {
  const clientOf = distribute(nodes)
  return createStore({
    name: 'memcached',
    backend: (scope) => new MemcachedBackend(clientOf, scope),
    backendName: () => `memcached at ${addressesOf(nodes)}`,
    whenSlow: 'look at its CPU, its limit of connections (-c) and the network',
    advice: adviceOf,
    ...(close && { close })
  })
}

function nodesOf(options: MemcachedStoreOptions): Map<string, MemcachedClient> {
  const where = 'memcachedStore(options)'
  if (isClient(options)) throw new TypeError(`${where}: expected an object of options, got a client: write memcachedStore({ client })`)
  const checks = new OptionChecks(where)
  checks.names(options, ['client', 'clients'])
  const nodes = checks.include(() => nodesIn(where, options))
  checks.throwIfAny()
  return nodes!
}

function nodesIn(where: string, { client, clients }: MemcachedStoreOptions): Map<string, MemcachedClient> {
  if ((client === undefined) === (clients === undefined)) throw new TypeError(`${where}: give either client or clients`)
  if (client !== undefined) {
    assertOption(where, 'client', client, isClient(client), `a client of the package memcache-client${adviceOn(client)}`, kindOf)
    return new Map([['', client]])
  }
  const named = new Map(isDataObject(clients) ? Object.entries(clients) : [])
  assertOption(where, 'clients', clients, named.size > 0, 'an object with a client for each name of a node', kindOf)
  for (const [name, member] of named) assertOption(where, `clients[${JSON.stringify(name)}]`, member, isClient(member), `a client of the package memcache-client${adviceOn(member)}`, kindOf)
  return named
}

function adviceOn(value: unknown): string {
  return typeof value === 'string' || value instanceof URL ? " (for a URL, use storeFromUrl('memcached://…'))" : ''
}

function isClient(value: unknown): value is MemcachedClient {
  return typeof value === 'object' && value !== null && methods.every((name) => typeof (value as Partial<MemcachedClient>)[name] === 'function')
}
