import { asText, configValue, pageSize, textOf, type RedisCommands, type ScriptConnection } from './commands.js'
import { hashSlotOf } from './hash-slot.js'

/** The methods that every call uses, of a client of `redis` (node-redis) 4.6 or later: single, cluster or sentinel. */
export interface NodeRedisClient {
  get(key: string): Promise<unknown>
  set(key: string, value: string, options: { NX: true; PX: number }): Promise<unknown>
  evalSha(sha: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
  eval(script: string, options: { keys: string[]; arguments: string[] }): Promise<unknown>
}

/** The further methods of a single connection. */
interface Connection extends NodeRedisClient {
  wait(replicas: number, timeout: number): Promise<unknown>
  scan(cursor: Cursor, options: { MATCH: string; COUNT: number; TYPE: string }): Promise<{ cursor: Cursor; keys: unknown[] }>
  configGet(name: string): Promise<unknown>
}

interface Cluster extends NodeRedisClient {
  masters: unknown[]
  slots: { master: unknown }[]
  nodeClient(node: unknown): Connection | Promise<Connection>
  sendCommand(firstKey: string, isReadonly: boolean, args: string[]): Promise<unknown>
}

/** A client with several connections, which lends one of them: a sentinel client by `use`, a client pool by `execute`. */
interface Lender extends NodeRedisClient {
  use?<T>(work: (connection: Connection) => Promise<T>): Promise<T>
  execute?<T>(work: (connection: Connection) => Promise<T>): Promise<T>
}

/** The position of a scan: a number in version 4, a string since version 5. The driver gets it back unchanged. */
type Cursor = string | number

interface Common {
  withCommandOptions?(options: object): NodeRedisClient
  options?: { keyPrefix?: unknown; commandOptions?: { timeout?: number } } | undefined
  _keyPrefix?: unknown
}

export function isNodeRedis(client: object): client is NodeRedisClient {
  const methods = client as Record<string, unknown>
  return ['get', 'set', 'evalSha', 'eval'].every((name) => typeof methods[name] === 'function')
}

export class NodeRedisCommands implements RedisCommands {
  readonly keyPrefix: string
  readonly sendsOnce: boolean
  readonly #client: NodeRedisClient

  constructor(client: NodeRedisClient) {
    const common = client as NodeRedisClient & Common
    this.#client = withoutTimers(common)
    this.keyPrefix = asText(common.options?.keyPrefix ?? common._keyPrefix) ?? ''
    // A sentinel client sends a command again when it finds another master, and a cluster client may send it again to another node.
    this.sendsOnce = !isCluster(client) && !isLender(client)
  }

  async get(key: string): Promise<string | undefined> {
    return textOf(await this.#client.get(key))
  }

  async setNew(key: string, text: string, ttl: number): Promise<boolean> {
    return asText(await this.#client.set(key, text, { NX: true, PX: ttl })) === 'OK'
  }

  evalSha(sha: string, key: string, args: string[]): Promise<unknown> {
    if (isCluster(this.#client)) return this.#sendByKey(this.#client, key, ['EVALSHA', sha], args)
    return this.#client.evalSha(sha, { keys: [key], arguments: args })
  }

  eval(script: string, key: string, args: string[]): Promise<unknown> {
    if (isCluster(this.#client)) return this.#sendByKey(this.#client, key, ['EVAL', script], args)
    return this.#client.eval(script, { keys: [key], arguments: args })
  }

  async onConnection<T>(key: string, work: (connection: ScriptConnection) => Promise<T>): Promise<T> {
    const client = this.#client
    if (isCluster(client)) return work(this.#onMaster(client, key))
    const onConnection = (connection: Connection) => work(scriptsOn(connection))
    if (!isLender(client)) return onConnection(client as Connection)
    return client.use?.(onConnection) ?? client.execute!(onConnection)
  }

  async *scan(pattern: string): AsyncGenerator<string[]> {
    for (const connection of await mastersOf(this.#client)) {
      let cursor: Cursor = '0'
      do {
        const page: { cursor: Cursor; keys: unknown[] } = await connection.scan(cursor, { MATCH: pattern, COUNT: pageSize, TYPE: 'string' })
        yield page.keys.map((key) => asText(key) ?? '')
        cursor = page.cursor
      } while (String(cursor) !== '0')
    }
  }

  async evictionPolicy(): Promise<string> {
    const [connection] = await mastersOf(this.#client)
    return configValue(await connection?.configGet('maxmemory-policy'), 'maxmemory-policy')
  }

  /** Sends scripts through the cluster client, which follows a hash slot that has moved. It has one connection for each master. */
  #onMaster(cluster: Cluster, key: string): ScriptConnection {
    const fullKey = this.keyPrefix + key
    return {
      evalSha: (sha, _key, args) => this.evalSha(sha, key, args),
      eval: (script, _key, args) => this.eval(script, key, args),
      async wait(replicas, timeout) {
        const connection = await cluster.nodeClient(cluster.slots[hashSlotOf(fullKey)]!.master)
        return Number(await connection.wait(replicas, timeout))
      }
    }
  }

  /** Sends a command to the node of a key. `eval` of the cluster client of version 4 does not find the key and asks any node. */
  #sendByKey(client: Cluster, key: string, command: string[], args: string[]): Promise<unknown> {
    const fullKey = this.keyPrefix + key
    return client.sendCommand(fullKey, false, [...command, '1', fullKey, ...args])
  }
}

function scriptsOn(connection: Connection): ScriptConnection {
  return {
    evalSha: (sha, key, args) => connection.evalSha(sha, { keys: [key], arguments: args }),
    eval: (script, key, args) => connection.eval(script, { keys: [key], arguments: args }),
    wait: async (replicas, timeout) => Number(await connection.wait(replicas, timeout))
  }
}

/**
 * Returns the same client without the timer that version 6 starts for each command, unless the application has set one. That timer only
 * measures the time until the command is written, which the middleware's `storeTimeout` limits too, and costs more than the command itself.
 */
function withoutTimers(client: NodeRedisClient & Common): NodeRedisClient {
  const { commandOptions } = client.options ?? {}
  if (!client.withCommandOptions || commandOptions?.timeout !== undefined) return client
  return client.withCommandOptions({ ...commandOptions, timeout: undefined })
}

async function mastersOf(client: NodeRedisClient): Promise<Connection[]> {
  if (!isCluster(client)) return [client as Connection]
  return Promise.all(client.masters.map(async (node) => client.nodeClient(node)))
}

function isCluster(client: NodeRedisClient): client is Cluster {
  return typeof (client as Partial<Cluster>).nodeClient === 'function'
}

function isLender(client: NodeRedisClient): client is Lender {
  const { use, execute } = client as Partial<Lender>
  return typeof use === 'function' || typeof execute === 'function'
}
