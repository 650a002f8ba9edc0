import type { Fact } from './storage.js'
import { writeDuration } from './words.js'

/** What Redis says about a key. */
export interface RedisFacts {
  describe(key: string): Promise<Fact[]>
  close(): Promise<void>
}

/** Connects a client of the demo's own, which asks Redis how long it keeps a key. */
export async function connectRedisFacts(url: string): Promise<RedisFacts> {
  // Imported when it is wanted: the demo with files needs no driver.
  const { createClient } = await import('redis')
  // No queue: while Redis is away, the page says that it does not know, instead of waiting.
  const client = createClient({ url, disableOfflineQueue: true, commandOptions: { timeout: 1000 } })
  client.on('error', () => {}) // The store reports it.
  void client.connect().catch(() => {})
  return {
    async describe(key) {
      const ttl = await client.pTTL(key).catch(() => undefined)
      return [
        ['Key', key],
        ['TTL', ttl === undefined ? 'unknown: Redis did not answer' : `${writeDuration(ttl)} (${Math.round(ttl / 1000)} s)`]
      ]
    },
    async close() {
      if (client.isOpen) client.destroy()
    }
  }
}
