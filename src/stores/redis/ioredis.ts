import { asText, configValue, pageSize, textOf, type RedisCommands, type ScriptConnection } from './commands.js'

/** The methods that every call uses, of a client of `ioredis` 5 or later: `Redis` (with or without sentinels) or `Cluster`. */
export interface IoRedisClient {
  readonly status: string
  get(key: string): Promise<unknown>
  set(key: string, value: string, px: 'PX', ttl: number, nx: 'NX'): Promise<unknown>
  evalsha(sha: string, keys: number, ...args: string[]): Promise<unknown>
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>
  /** All commands of a pipeline are sent on one connection: that of the first key. */
  pipeline(commands: unknown[][]): { exec(): Promise<unknown> }
}

interface Connection extends IoRedisClient {
  scan(cursor: string, match: 'MATCH', pattern: string, count: 'COUNT', size: number, type: 'TYPE', name: string): Promise<[cursor: string, keys: string[]]>
  config(get: 'GET', name: string): Promise<unknown>
}

interface Cluster extends IoRedisClient {
  nodes(role: 'master'): Connection[]
}

interface Common {
  options?: { keyPrefix?: unknown; autoResendUnfulfilledCommands?: unknown }
}

export function isIoRedis(client: object): client is IoRedisClient {
  const members = client as Record<string, unknown>
  // @upstash/redis has no `status`, and node-redis 3 has no `pipeline`. The other methods have the same names there.
  return ['get', 'set', 'evalsha', 'eval', 'pipeline'].every((name) => typeof members[name] === 'function') && typeof members['status'] === 'string'
}

export class IoRedisCommands implements RedisCommands {
  readonly keyPrefix: string
  readonly sendsOnce: boolean
  readonly #client: IoRedisClient

  constructor(client: IoRedisClient) {
    this.#client = client
    const { options } = client as IoRedisClient & Common
    this.keyPrefix = asText(options?.keyPrefix) ?? ''
    // A cluster client has no such option. It may send a command again, for example to a node that it has just discovered.
    this.sendsOnce = options?.autoResendUnfulfilledCommands === false
  }

  async get(key: string): Promise<string | undefined> {
    return textOf(await this.#client.get(key))
  }

  async setNew(key: string, text: string, ttl: number): Promise<boolean> {
    return asText(await this.#client.set(key, text, 'PX', ttl, 'NX')) === 'OK'
  }

  evalSha(sha: string, key: string, args: string[]): Promise<unknown> {
    return this.#client.evalsha(sha, 1, key, ...args)
  }

  eval(script: string, key: string, args: string[]): Promise<unknown> {
    return this.#client.eval(script, 1, key, ...args)
  }

  onConnection<T>(key: string, work: (connection: ScriptConnection) => Promise<T>): Promise<T> {
    return work({
      evalSha: (sha, _key, args) => this.evalSha(sha, key, args),
      eval: (script, _key, args) => this.eval(script, key, args),
      wait: (replicas, timeout) => this.#wait(key, replicas, timeout)
    })
  }

  /** `EXISTS` directs the pipeline to the key's master. A pipeline with a write would not follow a hash slot that has moved. */
  async #wait(key: string, replicas: number, timeout: number): Promise<number> {
    const replies = await this.#client.pipeline([['exists', key], ['wait', String(replicas), String(timeout)]]).exec()
    const [error, confirmed] = (replies as [unknown, unknown][])[1]!
    if (error) throw error as Error
    return Number(confirmed)
  }

  async *scan(pattern: string): AsyncGenerator<string[]> {
    for (const connection of mastersOf(this.#client)) {
      let cursor = '0'
      do {
        const [next, keys] = await connection.scan(cursor, 'MATCH', pattern, 'COUNT', pageSize, 'TYPE', 'string')
        yield keys
        cursor = next
      } while (cursor !== '0')
    }
  }

  async evictionPolicy(): Promise<string> {
    return configValue(await mastersOf(this.#client)[0]?.config('GET', 'maxmemory-policy'), 'maxmemory-policy')
  }
}

function mastersOf(client: IoRedisClient): Connection[] {
  return typeof (client as Partial<Cluster>).nodes === 'function' ? (client as Cluster).nodes('master') : [client as Connection]
}
