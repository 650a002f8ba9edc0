import { createStore, type SessionStore } from '../../store/index.js'
import { adviceOn, withoutData } from './advice.js'
import type { RedisCommands } from './commands.js'
import type { FirstConnection } from './first-connection.js'
import { RedisBackend, type WaitSettings } from './redis-backend.js'
import { WrappedCommands, type Send } from './wrapped-commands.js'

/** @param close closes the client, if the store opened it. */
export function createRedisStore(redis: RedisCommands, connection: FirstConnection, wait: WaitSettings, close?: () => Promise<void>): SessionStore {
  let hasAnswered = false

  /** Waits for the first connection, and looks at the server once it has answered. */
  const send: Send = (command) => (hasAnswered ? command() : sendFirst(command))
  const sendFirst: Send = async (command) => {
    await connection.wait()
    const answer = await command()
    if (!hasAnswered) {
      hasAnswered = true
      // In the background, and silent where CONFIG is not allowed.
      redis.evictionPolicy().then(warnOfEviction, () => undefined)
    }
    return answer
  }
  const commands = new WrappedCommands(redis, send)

  return createStore<string>({
    name: 'redis',
    backend: (scope) => new RedisBackend(commands, scope, wait),
    advice: (error) => adviceOn(withoutData(error), connection.address),
    ...(close && { close })
  })
}

function warnOfEviction(policy: string): void {
  if (!policy.startsWith('allkeys-')) return
  process.emitWarning(
    `Redis has maxmemory-policy ${policy}: when its memory is full it removes live sessions, and people are logged out; ` +
      'set noeviction, or give sessions a Redis of their own',
    'SessionWarning'
  )
}
