import { SessionError, storeError } from '../../errors.js'
import { emit } from '../../events.js'

/** What to do about the errors that a Redis server or its driver is known for, by how their messages begin. */
const hints: readonly [pattern: RegExp, hint: string][] = [
  [/^OOM\b/, 'Redis is at its maxmemory and evicts nothing: raise maxmemory (sessions need maxmemory-policy noeviction)'],
  [/^READONLY\b/, 'the client talks to a replica: connect to the master, through Sentinel or a cluster client'],
  [/^(NOAUTH|WRONGPASS)\b/, "give the client Redis' user name and password"],
  [/^NOPERM\b/, 'allow the Redis user get, set, del, getdel, eval, evalsha and scan on the keys of the prefix'],
  [/^(MISCONF|NOREPLICAS)\b/, 'Redis refuses writes until its disk or its replicas work again'],
  [/^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b/, 'this passes by itself once Redis is ready'],
  [/^ERR unknown command/i, 'Redis 6.2 or later is needed'],
  [/client is closed/i, 'call client.connect() once when the application starts'],
  // The TimeoutError of node-redis, which has no words.
  [/^$/, 'the driver gave up on Redis'],
  [/client is offline|enableOfflineQueue/i, 'the client is not connected to Redis']
]

/** The store's error for what a driver threw, with what to do about it. */
export function redisError(action: string, cause: unknown): SessionError {
  const error = storeError(action, withoutData(cause))
  const message = messageOf(cause)
  const hint = cause instanceof SessionError ? undefined : hints.find(([pattern]) => pattern.test(message))?.[1]
  return hint === undefined ? error : new SessionError('ERR_SESSION_STORE', `${error.message}: ${hint}`, { cause })
}

/** A key that holds another type is not a record; it says nothing about the server, so it fails nobody else's call. */
export function orCorrupt<T>(id: string, otherwise: T): (error: unknown) => T {
  return (error) => {
    if (!messageOf(error).startsWith('WRONGTYPE')) throw error
    emit({ type: 'corrupt', id, reason: 'the key holds another type than a string' })
    return otherwise
  }
}

/** Redis before 7 puts where it happened before the error of a command inside a script. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^ERR Error running script.*?@user_script: ?\d+: -?/, '')
}

/** ioredis hangs the command with all its arguments on the error: a session's data would go where errors are logged. */
function withoutData(cause: unknown): unknown {
  if (cause instanceof Error && 'command' in cause) {
    cause.command = { name: (cause.command as { name?: unknown } | undefined)?.name }
  }
  return cause
}
