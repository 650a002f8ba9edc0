import { createStore, type SessionStore, type StoreDefinition } from '../../store/index.js'
import { adviceOn, withoutData } from './advice.js'
import type { RedisCommands } from './commands.js'
import type { FirstConnection } from './first-connection.js'
import { RedisBackend, type WaitSettings } from './redis-backend.js'
import { WrappedCommands, type Send } from './wrapped-commands.js'

/** @param own what the store does with a client that it opened. */
export function createRedisStore(
  redis: RedisCommands,
  connection: FirstConnection,
  wait: WaitSettings,
  own?: Required<Pick<StoreDefinition, 'start' | 'close'>>
): SessionStore {
  let hasAnswered = false

  /** Sends a command. The first ones wait for the first connection, and the first answer starts a check of the server's settings. */
  const send: Send = (command) => (hasAnswered ? command() : sendFirst(command))
  const sendFirst: Send = async (command) => {
    await connection.wait()
    const answer = await command()
    if (!hasAnswered) {
      hasAnswered = true
      // In the background. Without the right to run CONFIG, there is no warning.
      redis.evictionPolicy().then(warnOfEviction, () => undefined)
    }
    return answer
  }
  const commands = new WrappedCommands(redis, send)

  return createStore<string>({
    name: 'redis',
    backend: (scope) => new RedisBackend(commands, scope, wait),
    backendName: () => `Redis at ${connection.address}`,
    whenSlow: 'look at SLOWLOG, at the memory and the CPU of Redis, and at the network (redis-cli --latency)',
    advice: (error) => adviceOn(withoutData(error), connection.address),
    ...own
  })
}

function warnOfEviction(policy: string): void {
  if (!policy.startsWith('allkeys-')) return
  process.emitWarning(
    `Redis has maxmemory-policy ${policy}: when its memory is full it removes live sessions, and their users are logged out; ` +
      'set noeviction, or use a separate Redis for sessions',
    'SessionWarning'
  )
}
