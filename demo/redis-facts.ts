import { createClient } from 'redis'
import type { Fact } from './storage.js'
import { writeDuration } from './words.js'

/** A client of the demo's own, which asks Redis how long it keeps a key. */
export class RedisFacts {
  readonly #client

  constructor(url: string) {
    // No queue: while Redis is away, the page says that it does not know, instead of waiting.
    this.#client = createClient({ url, disableOfflineQueue: true, commandOptions: { timeout: 1000 } })
    this.#client.on('error', () => {}) // The store reports it.
    void this.#client.connect().catch(() => {})
  }

  async describe(key: string): Promise<Fact[]> {
    const ttl = await this.#client.pTTL(key).catch(() => undefined)
    return [
      ['Key', key],
      ['TTL', ttl === undefined ? 'unknown: Redis did not answer' : `${writeDuration(ttl)} (${Math.round(ttl / 1000)} s)`]
    ]
  }

  async close(): Promise<void> {
    if (this.#client.isOpen) this.#client.destroy()
  }
}
