import { asText, configValue, pageSize, textOf, type RedisCommands } from './commands.js'
import { slotOf } from './slot.js'

/** A client of `redis` (node-redis) 4 or later, single, cluster or sentinel, by the methods that every store call uses. */
export interface NodeRedisClient {
  get(key: string): Promise<unknown>
  set(key: string, value: string, options: { NX: true; PX: number }): Promise<unknown>
  getDel(key: string): Promise<unknown>
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** What one connection has besides. */
interface Connection extends NodeRedisClient {
  wait(replicas: number, timeout: number): Promise<unknown>
  scan(cursor: Cursor, options: { MATCH: string; COUNT: number }): Promise<{ cursor: Cursor; keys: unknown[] }>
  configGet(name: string): Promise<unknown>
}

interface Cluster extends NodeRedisClient {
  masters: unknown[]
  slots: { master: unknown }[]
  nodeClient(node: unknown): Connection | Promise<Connection>
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>
}

/** Several connections, one of which can be borrowed: a sentinel client by `use`, a client pool by `execute`. */
interface Lender {
  use?<T>(work: (connection: Connection) => Promise<T>): Promise<T>
  execute?<T>(work: (connection: Connection) => Promise<T>): Promise<T>
}

/** A number in version 4, a string since 5; handed back as it came. */
type Cursor = string | number

interface Common {
  on?(event: string, listener: () => void): unknown
  withCommandOptions?(options: object): NodeRedisClient
  options?: { keyPrefix?: unknown; commandOptions?: { timeout?: number } } | undefined
  _keyPrefix?: unknown
}

export function isNodeRedis(client: object): client is NodeRedisClient {
  const methods = client as Record<string, unknown>
  return ['get', 'set', 'getDel', 'evalSha', 'eval'].every((name) => typeof methods[name] === 'function')
}

/** Clients whose errors are listened to, so that many stores on one client add one listener. */
const heard = new WeakSet<object>()

export function nodeRedisCommands(given: NodeRedisClient): RedisCommands {
  const common = given as NodeRedisClient & Common
  const client = withoutTimers(common)
  const keyPrefix = asText(common.options?.keyPrefix ?? common._keyPrefix) ?? ''
  // An 'error' event with no listener ends the process, and node-redis emits one whenever a connection breaks. The store
  // tells of failures call by call; listeners of the application's own are called as before.
  if (!heard.has(given)) common.on?.('error', () => undefined)
  heard.add(given)

  return {
    keyPrefix,
    async get(key) {
      return textOf(await client.get(key))
    },
    async setNew(key, text, ttl) {
      return asText(await client.set(key, text, { NX: true, PX: ttl })) === 'OK'
    },
    async take(key) {
      return textOf(await client.getDel(key))
    },
    async takeAndWait(key, replicas, timeout) {
      if (isCluster(client)) {
        // By the cluster first, because it follows a slot that has moved; it keeps one connection for each master.
        const text = textOf(await client.getDel(key))
        const connection = await client.nodeClient(client.slots[slotOf(keyPrefix + key)]!.master)
        return { text, confirmed: Number(await connection.wait(replicas, timeout)) }
      }
      const work = async (connection: Connection) => {
        const text = textOf(await connection.getDel(key))
        return { text, confirmed: Number(await connection.wait(replicas, timeout)) }
      }
      const lender = client as Lender
      return lender.use?.(work) ?? lender.execute?.(work) ?? work(client as Connection)
    },
    evalSha: (sha, key, args) => {
      if (isCluster(client)) return sendByKey(client, keyPrefix + key, ['EVALSHA', sha, '1', keyPrefix + key, ...args])
      return client.evalSha(sha, { keys: [key], arguments: args })
    },
    eval: (script, key, args) => {
      if (isCluster(client)) return sendByKey(client, keyPrefix + key, ['EVAL', script, '1', keyPrefix + key, ...args])
      return client.eval(script, { keys: [key], arguments: args })
    },
    async *scan(pattern) {
      for (const connection of await mastersOf(client)) {
        let cursor: Cursor = '0'
        do {
          const page: { cursor: Cursor; keys: unknown[] } = await connection.scan(cursor, { MATCH: pattern, COUNT: pageSize })
          yield page.keys.map((key) => asText(key) ?? '')
          cursor = page.cursor
        } while (String(cursor) !== '0')
      }
    },
    async evictionPolicy() {
      const [connection] = await mastersOf(client)
      return configValue(await connection?.configGet('maxmemory-policy'), 'maxmemory-policy')
    }
  }
}

/**
 * The same client without the timer that version 6 starts for each command, unless the application asked for one: it ends
 * when the command is written, so it bounds nothing that the middleware's own time limit does not, and it was measured to
 * cost more than the command itself.
 */
function withoutTimers(client: NodeRedisClient & Common): NodeRedisClient {
  const { commandOptions } = client.options ?? {}
  if (!client.withCommandOptions || commandOptions?.timeout !== undefined) return client
  return client.withCommandOptions({ ...commandOptions, timeout: undefined })
}

/** The cluster client of version 4 does not find the key among the arguments of its `eval`, and asks any node. */
function sendByKey(client: Cluster, key: string, args: string[]): Promise<unknown> {
  return client.sendCommand(key, false, args)
}

async function mastersOf(client: NodeRedisClient): Promise<Connection[]> {
  if (!isCluster(client)) return [client as Connection]
  return Promise.all(client.masters.map(async (node) => client.nodeClient(node)))
}

function isCluster(client: NodeRedisClient): client is Cluster {
  return typeof (client as Partial<Cluster>).nodeClient === 'function'
}
