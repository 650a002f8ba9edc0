import { textOf, unexpected, type ScriptRunner } from './commands.js'
import { startOfTombstones } from './redis-text.js'
import { isOne, Script } from './script.js'

/**
 * Compare-and-swap in one round trip. The text is replaced only if it starts as expected. Otherwise the answer is the present text, so
 * that the next try need not read it. A record's text starts with `rev` and `write`, so this compares those two without parsing.
 *
 * If the new text is there already, this very command has been carried out: the driver lost the answer and sent the command again.
 *
 * `DEL` comes before a removal's `SET`, because a full Redis refuses a script's first command if it needs memory, and only the first.
 * People must be able to log out of a full Redis.
 */
const script = new Script(`
local text = redis.call('GET', KEYS[1])
if not text then return false end
if string.sub(text, 1, #ARGV[1]) ~= ARGV[1] then
  if text == ARGV[2] then return 1 end
  return { text }
end
if ARGV[4] == 'removal' then redis.call('DEL', KEYS[1]) end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
return 1`)

/** A text that is to replace another one. */
export interface Swap {
  /** How the stored text must start. */
  readonly from: string
  readonly to: string
  /** The time to live of the new text, in milliseconds. */
  readonly ttl: number
  readonly isRemoval?: boolean
}

/** Answers the present text if it is another one, and `undefined` if there is none. */
export async function compareAndSwap(redis: ScriptRunner, key: string, { from, to, ttl, isRemoval }: Swap): Promise<{ readonly text: string } | 'done' | undefined> {
  const reply = await script.run(redis, key, [from, to, String(ttl), isRemoval ? 'removal' : ''])
  if (isOne(reply)) return 'done'
  if (reply === null) return undefined
  const text = Array.isArray(reply) ? textOf(reply[0]) : undefined
  if (text === undefined) throw unexpected(reply)
  return { text }
}

/** The time to live is written again, so that the connection has a write to wait for. */
const renewScript = new Script(`
local text = redis.call('GET', KEYS[1])
if not text or string.sub(text, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`)

/** Writes a tombstone again. `false`: there is none. `ttl` is in milliseconds. */
export async function renewTombstone(redis: ScriptRunner, key: string, ttl: number): Promise<boolean> {
  return isOne(await renewScript.run(redis, key, [startOfTombstones, String(ttl)]))
}
