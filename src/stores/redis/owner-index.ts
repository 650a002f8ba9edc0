import { hash } from 'node:crypto'
import type { SessionRecord } from '../../record/index.js'
import { asText, unexpected, type RedisCommands } from './commands.js'
import { Script } from './script.js'

/*
 * The index of owners: for each owner, a sorted set of the ids of the owner's sessions. It may hold too much, never too little.
 *
 * An entry is written before the record, and removed when the record has been removed. A listing does not remove an entry
 * without a record: the record may be about to be written. Such an entry ends by itself. Its score is the moment, by Redis'
 * clock, until which it counts.
 */

/**
 * Entries count until the end of the deadline's hour, and an hour more, in milliseconds. So a session whose deadline moves all the time
 * writes its entry once an hour, and needs not know what the index holds.
 */
const step = 3_600_000

/** How many entries a listing reads at once. */
const pageSize = 100

/** `GT`, and the comparison of the times to live: of two writers, the slower one must not shorten what the other one wrote. */
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

  /** Whether an entry has to be written before `next` replaces `from`. */
  needsEntry(next: SessionRecord, from?: SessionRecord): boolean {
    const owner = ownerOf(next)
    if (owner === undefined) return false
    return !from || ownerOf(from) !== owner || countsUntil(next) > countsUntil(from)
  }

  async add(record: SessionRecord): Promise<void> {
    const ttl = Math.max(countsUntil(record) - this.#now(), step)
    await addScript.run(this.#redis, this.#keyOf(record.owner!), [record.id, String(ttl)])
  }

  /** Removes the entry of a record that has been removed. It would end by itself, so an error of Redis does not matter. */
  async remove(record: SessionRecord): Promise<void> {
    const owner = ownerOf(record)
    if (owner === undefined) return
    await removeScript.run(this.#redis, this.#keyOf(owner), [record.id]).catch(() => undefined)
  }

  /** Pages of the ids of the owner's sessions. */
  async *ids(owner: string): AsyncGenerator<string[]> {
    // A scan may show an entry twice.
    const seen = new Set<string>()
    let cursor = '0'
    do {
      const reply = await listScript.run(this.#redis, this.#keyOf(owner), [cursor, String(pageSize)])
      const [next, entries] = Array.isArray(reply) ? (reply as unknown[]) : []
      if (!Array.isArray(entries)) throw unexpected(reply)
      const ids = entries.filter((_, at) => at % 2 === 0).map((id) => asText(id) ?? '')
      const added = ids.filter((id) => !seen.has(id))
      for (const id of added) seen.add(id)
      yield added
      cursor = asText(next) ?? '0'
    } while (cursor !== '0')
  }

  /** An owner is the application's own text, which may hold anything. So it is hashed. */
  #keyOf(owner: string): string {
    return this.#prefix + hash('sha256', owner)
  }
}

/** The owner under whom a record is listed. */
function ownerOf({ owner, moved }: SessionRecord): string | undefined {
  return moved ? undefined : owner
}

/** The moment until which the entry of a record counts, by the application's clock. */
function countsUntil({ expires }: SessionRecord): number {
  return (Math.floor(expires / step) + 2) * step
}
