import { createHash } from 'node:crypto'
import { textOf, unexpected, type RedisCommands } from './commands.js'

/**
 * Compare and swap in one round trip: the text is replaced (or, with nothing to put in its place, removed) only while it
 * starts with what is expected. Otherwise the answer brings the text that is there, so that the next try need not ask.
 *
 * A record's text starts with its revision, so comparing that much is comparing revisions, without parsing.
 */
const script = `
local text = redis.call('GET', KEYS[1])
if not text then return false end
if string.sub(text, 1, #ARGV[1]) ~= ARGV[1] then return { text } end
if ARGV[2] == '' then redis.call('DEL', KEYS[1]) else redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3]) end
return 1`

// Redis names a script by its SHA-1; nothing depends on that being secure.
const sha = createHash('sha1').update(script).digest('hex')

/** `undefined`: there is nothing under the key. */
export type Replaced = { done: true } | { done: false; text: string } | undefined

/** Replaces the text under the key by another with a time to live in milliseconds; an empty one removes it. */
export async function replace(redis: RedisCommands, key: string, start: string, text: string, ttl: number): Promise<Replaced> {
  const args = [start, text, String(ttl)]
  const reply = await redis.evalSha(sha, key, args).catch((error: unknown) => {
    // The server restarted, failed over or was told SCRIPT FLUSH: EVAL runs the script and has it kept again.
    if (error instanceof Error && error.message.includes('NOSCRIPT')) return redis.eval(script, key, args)
    throw error
  })
  if (reply === null) return undefined
  if (Array.isArray(reply)) return { done: false, text: textOf(reply[0]) ?? '' }
  // A string where the client is set to answer numbers as such.
  if (reply === 1 || reply === '1' || reply === 1n) return { done: true }
  throw unexpected(reply)
}
