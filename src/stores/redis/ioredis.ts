import { asText, configValue, pageSize, textOf, type RedisCommands } from './commands.js'

/** A client of `ioredis` 5 or later, `Redis` (with or without sentinels) or `Cluster`, by the methods that every store call uses. */
export interface IoRedisClient {
  get(key: string): Promise<unknown>
  set(key: string, value: string, px: 'PX', ttl: number, nx: 'NX'): Promise<unknown>
  getdel(key: string): Promise<unknown>
  evalsha(sha: string, keys: number, ...args: string[]): Promise<unknown>
  eval(script: string, keys: number, ...args: string[]): Promise<unknown>
  /** Commands of one pipeline go to one connection: that of the first key. */
  pipeline(commands: unknown[][]): { exec(): Promise<unknown> }
}

interface Connection extends IoRedisClient {
  scan(cursor: string, match: 'MATCH', pattern: string, count: 'COUNT', size: number): Promise<[cursor: string, keys: string[]]>
  config(get: 'GET', name: string): Promise<unknown>
}

interface Cluster extends IoRedisClient {
  nodes(role: 'master'): Connection[]
}

interface Common {
  options?: { keyPrefix?: unknown }
}

export function isIoRedis(client: object): client is IoRedisClient {
  const methods = client as Record<string, unknown>
  // `pipeline` tells it from node-redis 3, whose methods have the same names but take callbacks.
  return ['get', 'set', 'getdel', 'evalsha', 'eval', 'pipeline'].every((name) => typeof methods[name] === 'function')
}

export function ioRedisCommands(client: IoRedisClient): RedisCommands {
  const { options } = client as IoRedisClient & Common
  return {
    keyPrefix: asText(options?.keyPrefix) ?? '',
    async get(key) {
      return textOf(await client.get(key))
    },
    async setNew(key, text, ttl) {
      return asText(await client.set(key, text, 'PX', ttl, 'NX')) === 'OK'
    },
    async take(key) {
      return textOf(await client.getdel(key))
    },
    async takeAndWait(key, replicas, timeout) {
      // Not in the pipeline itself: a pipeline with a write in it does not follow a slot that has moved.
      const text = textOf(await client.getdel(key))
      const replies = await client.pipeline([['exists', key], ['wait', String(replicas), String(timeout)]]).exec()
      const [error, confirmed] = (replies as [unknown, unknown][])[1]!
      if (error) throw error as Error
      return { text, confirmed: Number(confirmed) }
    },
    evalSha: (sha, key, args) => client.evalsha(sha, 1, key, ...args),
    eval: (script, key, args) => client.eval(script, 1, key, ...args),
    async *scan(pattern) {
      for (const connection of mastersOf(client)) {
        let cursor = '0'
        do {
          const [next, keys] = await connection.scan(cursor, 'MATCH', pattern, 'COUNT', pageSize)
          yield keys
          cursor = next
        } while (cursor !== '0')
      }
    },
    async evictionPolicy() {
      return configValue(await mastersOf(client)[0]?.config('GET', 'maxmemory-policy'), 'maxmemory-policy')
    }
  }
}

function mastersOf(client: IoRedisClient): Connection[] {
  return typeof (client as Partial<Cluster>).nodes === 'function' ? (client as Cluster).nodes('master') : [client as Connection]
}
