import { setTimeout as delay } from 'node:timers/promises'
import { conflictError, SessionError } from '../../errors.js'
import { atRevision } from '../../record.js'
import { defaultScope, type Recipe, type SessionRecord, type SessionStore, type StoreScope } from '../../store.js'
import { Calls } from '../calls.js'
import type { RedisCommands } from './commands.js'
import { orCorrupt, redisError } from './failure.js'
import { createLanes } from './lanes.js'
import { replace } from './replace.js'
import { liveRecord, startOf, writeOwn } from './text.js'

export interface RedisStoreSettings {
  waitReplicas: number
  waitTimeout: number
  /** Lets go of what the store opened itself. */
  release?: () => Promise<void>
}

// How long a key outlives its deadline. The record's own deadline decides, by the application's clock; this keeps two
// servers whose clocks differ a little from losing a session that one of them still holds to be alive.
const slack = 60_000

// Within one process updates of one session queue up, so only other processes and stores are raced, and whenever a try is
// lost one of them has committed. Each lost try brings the newest text, so trying at once is what gives a fair chance;
// after a pause the text in hand would be old again. A pause now and then breaks a rhythm in which the same one always
// loses, and the bound is above what all the rivals' requests in line can commit before the caller's time is over.
const maxTries = 1000
const triesBetweenPauses = 10
const longestPause = 10

/** How long close() waits for calls that are under way. */
const closeTimeout = 5_000

/** Sessions in whatever the commands reach. */
export function createStore(redis: RedisCommands, { waitReplicas, waitTimeout, release }: RedisStoreSettings): SessionStore {
  const calls = new Calls('redis')
  let closing: Promise<void> | undefined
  let isPolicyChecked = false

  /** Runs one call of the store: refused after close(), awaited by close(), its failure made the store's. */
  async function run<T>(action: string, work: () => Promise<T>): Promise<T> {
    calls.begin()
    try {
      const result = await work()
      if (!isPolicyChecked) checkPolicy()
      return result
    } catch (error) {
      throw error instanceof Mistake ? error.cause : redisError(action, error)
    } finally {
      calls.end()
    }
  }

  /** In the background, once there is an answer from the server, and silent where CONFIG is not allowed. */
  function checkPolicy(): void {
    isPolicyChecked = true
    redis.evictionPolicy().then(warnOfEviction, () => undefined)
  }

  function close(): Promise<void> {
    closing ??= (async () => {
      const stop = new AbortController()
      await Promise.race([calls.close(), delay(closeTimeout, undefined, { ref: false, signal: stop.signal }).catch(() => undefined)])
      stop.abort()
      await release?.()
    })()
    return closing
  }

  function scope({ prefix, now }: StoreScope): SessionStore {
    const lanes = createLanes()
    const ttlOf = (record: SessionRecord) => Math.min(Math.max(Math.ceil(record.expires - now() + slack), 1), Number.MAX_SAFE_INTEGER)
    const read = async (id: string) => liveRecord(await redis.get(prefix + id), id, now())

    async function create(id: string, record: SessionRecord): Promise<boolean> {
      const key = prefix + id
      const text = writeOwn(atRevision(1, record))
      for (let tries = 0; tries < maxTries; tries++) {
        if (await redis.setNew(key, text, ttlOf(record))) return true
        const found = await redis.get(key)
        if (found === undefined) continue
        // Our own: the driver sent the command again because the first answer was lost.
        if (found === text) return true
        if (liveRecord(found, id, now())) return false
        // Expired but not yet removed by Redis, or not a record: it counts as absent.
        const replaced = await replace(redis, key, found, text, ttlOf(record))
        if (replaced) return replaced.done
      }
      throw conflictError(maxTries)
    }

    /** The text that the recipe makes of the record is tried until no other process has been faster. */
    async function update(id: string, recipe: Recipe, seen: SessionRecord | undefined, tell: (text: string | undefined) => void) {
      const key = prefix + id
      let text: string | undefined
      let current = seen?.id === id && seen.expires > now() ? seen : undefined
      if (!current) {
        text = await redis.get(key)
        current = liveRecord(text, id, now())
      }
      for (let tries = 1; current; tries++) {
        const result = attempt(recipe, current)
        const written = result && atRevision(current.rev + 1, result)
        const next = written ? writeOwn(written) : ''
        const replaced = await replace(redis, key, startOf(current, text), next, written ? ttlOf(written) : 1)
        if (!replaced) return undefined
        // The text is our own when the driver sent the command twice: a change must not be applied a second time.
        if (replaced.done || replaced.text === next) {
          tell(written ? next : undefined)
          return written
        }
        if (tries === maxTries) throw conflictError(maxTries)
        if (tries % triesBetweenPauses === 0) await delay(Math.random() * longestPause)
        text = replaced.text
        current = liveRecord(text, id, now())
      }
      return undefined
    }

    async function destroy(id: string): Promise<SessionRecord | undefined> {
      const key = prefix + id
      if (waitReplicas === 0) return liveRecord(await redis.take(key), id, now())
      const { text, confirmed } = await redis.takeAndWait(key, waitReplicas, waitTimeout)
      if (confirmed >= waitReplicas) return liveRecord(text, id, now())
      throw new SessionError(
        'ERR_SESSION_STORE',
        `the session was removed, but only ${confirmed} of ${waitReplicas} replicas confirmed it within ${waitTimeout} ms: ` +
          'a failover now may bring it back; see to the replicas, or lower waitReplicas'
      )
    }

    async function* records(): AsyncGenerator<SessionRecord> {
      const start = redis.keyPrefix + prefix
      const seen = new Set<string>()
      for await (const keys of redis.scan(`${escapePattern(start)}*`)) {
        const ids = keys.map((key) => key.slice(start.length)).filter((id) => idPattern.test(id) && !seen.has(id))
        for (const id of ids) seen.add(id)
        for (const record of await Promise.all(ids.map((id) => read(id).catch(orCorrupt(id, undefined))))) {
          if (record) yield record
        }
      }
    }

    return {
      read: (id) => run('read a session', () => read(id).catch(orCorrupt(id, undefined))),
      create: (id, record) => run('create a session', () => create(id, record).catch(orCorrupt(id, false))),
      update: (id, recipe, seen) =>
        run('save a session', () =>
          lanes
            .enter(id, (newest, tell) => update(id, recipe, newest === undefined ? seen : liveRecord(newest, id, now()), tell))
            .catch(orCorrupt(id, undefined))
        ),
      destroy: (id) => run('destroy a session', () => destroy(id).catch(orCorrupt(id, undefined))),
      async *records() {
        calls.assertOpen()
        try {
          yield* records()
        } catch (error) {
          throw redisError('list sessions', error)
        }
      },
      prune: () => run('prune sessions', () => Promise.resolve(0)),
      close,
      scope
    }
  }

  return scope(defaultScope)
}

/** What a recipe threw: the caller's own error, not the backend's. */
class Mistake extends Error {}

function attempt(recipe: Recipe, current: SessionRecord): SessionRecord | null {
  try {
    return recipe(current)
  } catch (cause) {
    throw new Mistake('the recipe threw', { cause })
  }
}

function warnOfEviction(policy: string): void {
  if (!policy.startsWith('allkeys-')) return
  process.emitWarning(
    `Redis has maxmemory-policy ${policy}: when its memory is full it removes live sessions, and people are logged out; ` +
      'set noeviction, or give sessions a Redis of their own',
    'SessionWarning'
  )
}

// Only what is named like one of ours is listed: another prefix may begin with this one.
const idPattern = /^[0-9a-f]{64}$/

function escapePattern(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}
