import { SessionError } from '../../errors.js'
import type { SessionRecord } from '../../record/index.js'
import { graceAfterDeadline, isId, type Backend, type Found, type RecordWithToken, type Removed, type StoreScope, type SwapResult, type Written } from '../../store/index.js'
import { isWrongType } from './advice.js'
import type { RedisCommands, ScriptConnection, ScriptRunner } from './commands.js'
import { compareAndSwap, renewTombstone, type Swap } from './compare-and-swap.js'
import { OwnerIndex } from './owner-index.js'
import { foundIn, removalIn, startOf, tombstone } from './redis-text.js'

/** The options about replicas: see `RedisStoreOptions`. */
export interface WaitSettings {
  readonly waitReplicas: number
  readonly waitTimeout: number
}

/**
 * How long a key stays beyond the minute that every store adds to the deadline, in milliseconds. Whether a session has expired depends on the
 * record, and not on the key. A server whose clock is ahead must not remove a session that is live for another server.
 */
const clockSlack = 60_000

/** How long a tombstone stays, in milliseconds: longer than any driver keeps a command to send it again. */
const tombstoneTtl = 60_000

/** How many records a listing reads at once. */
const pageSize = 100

/** The operations on the records of one prefix. Each command uses one key, so that it works in a cluster too. */
export class RedisBackend implements Backend<string> {
  readonly sendsOnce: boolean
  readonly #redis: RedisCommands
  readonly #prefix: string
  readonly #now: () => number
  readonly #wait: WaitSettings
  readonly #owners: OwnerIndex

  constructor(redis: RedisCommands, { prefix, now }: StoreScope, wait: WaitSettings) {
    this.sendsOnce = redis.sendsOnce
    this.#redis = redis
    this.#prefix = prefix
    this.#now = now
    this.#wait = wait
    this.#owners = new OwnerIndex(redis, prefix, now)
  }

  get(id: string): Promise<Found<string> | undefined> {
    // Most requests wait for a read, so it makes no promise that it does not need.
    return this.#redis.get(this.#prefix + id).then(foundIn, (error: unknown) => ({ text: textInstead(error) }))
  }

  async insert(id: string, next: Written, over?: Removed): Promise<boolean | Removed> {
    if (this.#owners.needsEntry(next.record)) await this.#owners.add(next.record)
    const key = this.#prefix + id
    const ttl = this.#ttlOf(next.record)
    if (over) return (await this.#swap(id, this.#redis, { from: tombstone(over.removedBy), to: next.text, ttl })) === 'done'
    if (await this.#redis.setNew(key, next.text, ttl)) return true
    const removedBy = removalIn((await this.#redis.get(key).catch(textInstead)) ?? '')
    return removedBy === undefined ? false : { removedBy }
  }

  async replace(id: string, from: RecordWithToken<string>, next: Written): Promise<SwapResult<string>> {
    if (this.#owners.needsEntry(next.record, from.record)) await this.#owners.add(next.record)
    const swapped = await this.#swap(id, this.#redis, { from: from.token ?? startOf(from.record), to: next.text, ttl: this.#ttlOf(next.record) })
    if (swapped === 'done' && next.record.moved) await this.#owners.remove(from.record)
    return swapped
  }

  /**
   * Replaces the record by a tombstone with the mark of this removal.
   *
   * `GETDEL` would need one round trip instead of two (a read, and this). But drivers send a command again when its answer was
   * lost, and the second `GETDEL` finds nothing: the call would report that there was no session, and a login that removes the old
   * session would not know its last state.
   */
  async remove(id: string, from: RecordWithToken<string>, mark: string): Promise<SwapResult<string>> {
    const swap: Swap = { from: from.token ?? startOf(from.record), to: tombstone(mark), ttl: tombstoneTtl, isRemoval: true }
    const swapped = await this.#removeBy(id, swap)
    if (swapped === 'done') await this.#owners.remove(from.record)
    return swapped
  }

  /** Waits for the replicas, because another call may have removed the record without waiting long enough: a failover could bring it back. */
  async confirmGone(id: string): Promise<void> {
    if (this.#wait.waitReplicas === 0) return
    await this.#redis.onConnection(this.#prefix + id, async (connection) => {
      if (await renewTombstone(connection, this.#prefix + id, tombstoneTtl)) await this.#assertConfirmed(connection)
    })
  }

  async *list(): AsyncGenerator<Found<string> & { readonly id: string }> {
    const start = this.#redis.keyPrefix + this.#prefix
    // A scan may return a key twice.
    const seen = new Set<string>()
    for await (const keys of this.#redis.scan(`${escapePattern(start)}*`)) {
      // Another prefix may begin with this one.
      const ids = keys.map((key) => key.slice(start.length)).filter((id) => isId(id) && !seen.has(id))
      for (const id of ids) seen.add(id)
      yield* this.#records(ids)
    }
  }

  async *ownedBy(owner: string): AsyncGenerator<Found<string> & { readonly id: string }> {
    for await (const ids of this.#owners.ids(owner)) yield* this.#records(ids)
  }

  async *#records(ids: readonly string[]): AsyncGenerator<Found<string> & { readonly id: string }> {
    for (let start = 0; start < ids.length; start += pageSize) {
      const page = ids.slice(start, start + pageSize)
      const texts = await Promise.all(page.map((id) => this.get(id)))
      for (const [index, found] of texts.entries()) {
        if (found) yield { ...found, id: page[index]! }
      }
    }
  }

  async #swap(id: string, runner: ScriptRunner, swap: Swap): Promise<SwapResult<string>> {
    try {
      const swapped = await compareAndSwap(runner, this.#prefix + id, swap)
      if (swapped === 'done') return 'done'
      const removedBy = swapped && removalIn(swapped.text)
      return removedBy === undefined ? (foundIn(swapped?.text) ?? 'gone') : { removedBy }
    } catch (error) {
      if (isWrongType(error)) return 'changed'
      throw error
    }
  }

  #removeBy(id: string, swap: Swap): Promise<SwapResult<string>> {
    if (this.#wait.waitReplicas === 0) return this.#swap(id, this.#redis, swap)
    return this.#redis.onConnection(this.#prefix + id, async (connection) => {
      const swapped = await this.#swap(id, connection, swap)
      if (swapped === 'done') await this.#assertConfirmed(connection)
      return swapped
    })
  }

  /** @throws SessionError `ERR_SESSION_STORE` when too few replicas confirm the writes of the connection in time. */
  async #assertConfirmed(connection: ScriptConnection): Promise<void> {
    const { waitReplicas, waitTimeout } = this.#wait
    const confirmed = await connection.wait(waitReplicas, waitTimeout)
    if (confirmed >= waitReplicas) return
    throw new SessionError(
      'ERR_SESSION_STORE',
      `the session was removed, but only ${confirmed} of ${waitReplicas} replicas confirmed it within ${waitTimeout} ms: ` +
        'a failover now may bring it back; see to the replicas, or lower waitReplicas'
    )
  }

  #ttlOf({ expires }: SessionRecord): number {
    return Math.min(Math.max(Math.ceil(expires - this.#now() + graceAfterDeadline + clockSlack), 1), Number.MAX_SAFE_INTEGER)
  }
}

/** The text for a key of another type, which is not a record, but not a failure of the server either. The kit reports the text as corrupt. */
function textInstead(error: unknown): string {
  if (isWrongType(error)) return 'not a string'
  throw error
}

function escapePattern(text: string): string {
  return text.replace(/[*?[\]\\]/g, '\\$&')
}
