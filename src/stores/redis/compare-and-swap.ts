import { textOf, unexpected, type ScriptRunner } from './commands.js'
import { startOfTombstones } from './redis-text.js'
import { isOne, Script } from './script.js'

/**
 * Compare-and-swap in one round trip. The script replaces the text only if it starts as expected. Otherwise it returns the present text, so
 * that the next try need not read it. A record's text starts with `rev` and `write`, so this compares those two without parsing.
 *
 * If the new text is there already, this command was carried out before: the driver lost the reply and sent the command again.
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

/** The replacement of a text by another. */
export interface Swap {
  /** How the stored text must start. */
  readonly from: string
  readonly to: string
  /** The time to live of the new text, in milliseconds. */
  readonly ttl: number
  readonly isRemoval?: boolean
}

/** Runs the script. Returns `'done'`, or the present text if it does not start as expected, or `undefined` if there is none. */
export async function compareAndSwap(redis: ScriptRunner, key: string, { from, to, ttl, isRemoval }: Swap): Promise<{ readonly text: string } | 'done' | undefined> {
  const reply = await script.run(redis, key, [from, to, String(ttl), isRemoval ? 'removal' : ''])
  if (isOne(reply)) return 'done'
  if (reply === null) return undefined
  const text = Array.isArray(reply) ? textOf(reply[0]) : undefined
  if (text === undefined) throw unexpected(reply)
  return { text }
}

/** Sets the time to live again, so that the connection has a write for which `WAIT` can wait. */
const renewScript = new Script(`
local text = redis.call('GET', KEYS[1])
if not text or string.sub(text, 1, #ARGV[1]) ~= ARGV[1] then return 0 end
redis.call('PEXPIRE', KEYS[1], ARGV[2])
return 1`)

/** Sets the time to live of a tombstone again. `false`: there is no tombstone. `ttl` is in milliseconds. */
export async function renewTombstone(redis: ScriptRunner, key: string, ttl: number): Promise<boolean> {
  return isOne(await renewScript.run(redis, key, [startOfTombstones, String(ttl)]))
}
