import { hash } from 'node:crypto'
import type { SessionRecord } from '../../record/index.js'
import { asText, unexpected, type RedisCommands } from './commands.js'
import { Script } from './script.js'

/*
 * The index of owners: for each owner, a sorted set of the ids of the owner's sessions. It may have too many entries, but never too few.
 *
 * An entry is written before the record, and removed after the record was removed. A listing does not remove an entry without a record,
 * because the record may be about to be written. Such an entry expires by itself: its score is the moment, by Redis' clock, at which it
 * expires.
 */

/**
 * An entry expires one hour after the end of the hour of the deadline. So a session whose deadline moves all the time writes its entry once
 * an hour, without reading the index. In milliseconds.
 */
const hour = 3_600_000

/** How many entries a listing reads at once. */
const pageSize = 100

/** Adds an entry or extends it. It never shortens a time (`GT`, and the comparison of the times to live), because another writer may have set it. */
const addScript = new Script(`
local time = redis.call('TIME')
local now = time[1] * 1000
redis.call('ZADD', KEYS[1], 'GT', now + ARGV[2], ARGV[1])
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return 1`)

const removeScript = new Script(`return redis.call('ZREM', KEYS[1], ARGV[1])`)

const listScript = new Script(`
if ARGV[1] == '0' then redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', redis.call('TIME')[1] * 1000) end
return redis.call('ZSCAN', KEYS[1], ARGV[1], 'COUNT', ARGV[2])`)

export class OwnerIndex {
  readonly #redis: RedisCommands
  readonly #prefix: string
  readonly #now: () => number

  constructor(redis: RedisCommands, prefix: string, now: () => number) {
    this.#redis = redis
    this.#prefix = `${prefix}owner:`
    this.#now = now
  }

  /** Reports whether an entry must be written before `next` replaces `from`. */
  needsEntry(next: SessionRecord, from?: SessionRecord): boolean {
    const owner = ownerOf(next)
    if (owner === undefined) return false
    return !from || ownerOf(from) !== owner || entryExpiry(next) > entryExpiry(from)
  }

  async add(record: SessionRecord): Promise<void> {
    const ttl = Math.max(entryExpiry(record) - this.#now(), hour)
    await addScript.run(this.#redis, this.#keyOf(record.owner!), [record.id, String(ttl)])
  }

  /** Removes the entry of a record that was removed. An error of Redis does not matter, because the entry expires by itself. */
  async remove(record: SessionRecord): Promise<void> {
    const owner = ownerOf(record)
    if (owner === undefined) return
    await removeScript.run(this.#redis, this.#keyOf(owner), [record.id]).catch(() => undefined)
  }

  /** Lists the ids of the owner's sessions in pages. */
  async *ids(owner: string): AsyncGenerator<string[]> {
    // A scan may return an entry twice.
    const seen = new Set<string>()
    let cursor = '0'
    do {
      const reply = await listScript.run(this.#redis, this.#keyOf(owner), [cursor, String(pageSize)])
      const [next, entries] = Array.isArray(reply) ? (reply as unknown[]) : []
      if (!Array.isArray(entries)) throw unexpected(reply)
      const ids = entries.filter((_, index) => index % 2 === 0).map((id) => asText(id) ?? '')
      const newIds = ids.filter((id) => !seen.has(id))
      for (const id of newIds) seen.add(id)
      yield newIds
      cursor = asText(next) ?? '0'
    } while (cursor !== '0')
  }

  /** The key of an owner's set. The owner is hashed, because it may be any text. */
  #keyOf(owner: string): string {
    return this.#prefix + hash('sha256', owner)
  }
}

/** The owner in whose list a record is: none for a marker. */
function ownerOf({ owner, moved }: SessionRecord): string | undefined {
  return moved ? undefined : owner
}

/** The moment at which the entry of a record expires, by the application's clock. */
function entryExpiry({ expires }: SessionRecord): number {
  return (Math.floor(expires / hour) + 2) * hour
}
