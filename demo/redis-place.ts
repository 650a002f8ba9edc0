import { createClient } from 'redis'
import { storeFromUrl } from '../src/store-from-url.js'
import type { RedisPlace } from './config.js'
import type { Place } from './place.js'
import { writeDuration } from './words.js'

/** Sessions in Redis, and a client of the demo's own that asks how long a key still lives. */
export function redisPlace({ url }: RedisPlace, prefix: string): Place {
  const base = storeFromUrl(url)
  // No queue: while Redis is away the page says that it does not know, rather than wait.
  const client = createClient({ url, disableOfflineQueue: true, commandOptions: { timeout: 1000 } })
  client.on('error', () => {}) // told by the store
  void client.connect().catch(() => {})
  const { host, pathname } = new URL(url)
  return {
    base,
    store: base.scope!({ prefix, now: Date.now }),
    words: `Redis at ${host}${pathname === '/' ? '' : pathname}`,
    async describe(id) {
      const key = prefix + id
      const ttl = await client.pTTL(key).catch(() => undefined)
      return [
        ['Key', key],
        ['TTL', ttl === undefined ? 'unknown: Redis did not answer' : `${writeDuration(ttl)} (${Math.round(ttl / 1000)} s)`]
      ]
    },
    async close() {
      if (client.isOpen) client.destroy()
      await base.close?.()
    }
  }
}
