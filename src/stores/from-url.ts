import { assertKnown } from './check.js'
import type { SessionStore } from './store.js'
import { resolveWait, type RedisStoreOptions } from './stores/redis.js'
import { openRedis } from './stores/redis/open.js'
import { createStore } from './stores/redis/store.js'

/** Options of the store that the URL names; those of the client are set so that nothing waits for ever. */
export type StoreFromUrlOptions = Omit<RedisStoreOptions, 'client'>

/**
 * A store in the server that a URL names, `redis://[user:password@]host[:port][/database]` or `rediss://…` with TLS.
 *
 * The driver is loaded now and connects with the first call. The store closes what it opened: `close()`.
 *
 * @throws TypeError for a URL of another kind; Error that says what to install when there is no driver.
 * @example
 * app.use(session({ store: storeFromUrl('redis://localhost:6379') }))
 */
export function storeFromUrl(url: string | URL, options: StoreFromUrlOptions = {}): SessionStore {
  const where = 'storeFromUrl(url, options)'
  assertKnown(where, options, ['waitReplicas', 'waitTimeout'])
  const wait = resolveWait(where, options)
  // The URL itself is never quoted: it may hold a password.
  const text = String(url)
  if (!URL.canParse(text)) throw new TypeError(`${where}: url must be a URL such as redis://localhost:6379`)
  const { protocol } = new URL(text)
  if (protocol !== 'redis:' && protocol !== 'rediss:') {
    throw new TypeError(`${where}: url must begin with redis:// or rediss://, got ${protocol}//`)
  }
  const { redis, release } = openRedis(text, wait.waitTimeout)
  return createStore(redis, { ...wait, release })
}
