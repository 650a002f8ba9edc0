import type { RedisClient } from '../../src/stores/redis/index.js'
import type { StoreScope } from '../../src/store/index.js'

/** Writes and reads the texts of a scope without the store. */
export function textsOf(client: RedisClient, { prefix }: Pick<StoreScope, 'prefix'>) {
  // Without more arguments it is the same in both drivers.
  const set = client.set.bind(client) as unknown as (key: string, text: string) => Promise<unknown>
  return {
    put: async (id: string, text: string) => void (await set(prefix + id, text)),
    get: async (id: string) => ((await client.get(prefix + id)) ?? undefined) as string | undefined
  }
}
