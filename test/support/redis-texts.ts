import type { RedisClient } from '../../src/stores/redis/index.js'
import type { StoreScope } from '../../src/store/index.js'

/** The texts of a scope, behind the store's back. */
export function textsOf(client: RedisClient, { prefix }: Pick<StoreScope, 'prefix'>) {
  return {
    put: async (id: string, text: string) => void (await (client as Setter).set(prefix + id, text)),
    get: async (id: string) => ((await client.get(prefix + id)) ?? undefined) as string | undefined
  }
}

interface Setter {
  set(key: string, text: string): Promise<unknown>
}
