/** Advice about known errors of Redis servers and drivers, by the beginning of their messages. */
const adviceByMessage: readonly [pattern: RegExp, advice: string][] = [
  [/^OOM\b/, 'Redis is at its maxmemory and evicts nothing: raise maxmemory (sessions need maxmemory-policy noeviction)'],
  [/^READONLY\b/, 'the client talks to a replica: connect to the master, through Sentinel or a cluster client'],
  [/^(NOAUTH|WRONGPASS)\b/, "give the client Redis' user name and password"],
  [
    /^NOPERM\b|user executing the script/,
    `allow the Redis user the commands ${commandsOf('get set del eval evalsha scan')} on the keys of the prefix, for owners ` +
      `${commandsOf('time zadd zrem zremrangebyscore zscan pexpire pttl')}, and for waitReplicas wait`
  ],
  [/^(MISCONF|NOREPLICAS)\b/, 'Redis refuses writes until its disk or its replicas work again'],
  [/^(LOADING|MASTERDOWN|CLUSTERDOWN|TRYAGAIN|BUSY)\b/, 'this passes by itself once Redis is ready'],
  [/^ERR (unknown command|syntax error)/i, 'Redis 6.2 or later is needed'],
  [/client is closed/i, 'call client.connect() once when the application starts']
]

/** Messages of drivers that cannot reach the server or have lost it. node-redis has an empty one for a timeout and for a host with two addresses. */
const unreachable =
  /^$|ECONN|ETIMEDOUT|ENOTFOUND|EHOST|ENETUNREACH|EPIPE|client is offline|enableOfflineQueue|connection is closed|connection timeout|timed out|did not answer|socket closed|max retries per request|startup nodes|slots cache|root nodes/i

/** Advice for an operator about an error. @param address the server of the client, without a password. */
export function adviceOn(error: unknown, address: string): string | undefined {
  const message = messageOf(error)
  const advice = adviceByMessage.find(([pattern]) => pattern.test(message))?.[1]
  return advice ?? (unreachable.test(message) ? `cannot reach Redis at ${address}` : undefined)
}

/** Reports whether an error means that a key holds another type than text. */
export function isWrongType(error: unknown): boolean {
  return messageOf(error).startsWith('WRONGTYPE')
}

/** Removes the arguments of the command, which ioredis puts on the error: a log of errors would contain a session's data. */
export function withoutData(error: unknown): unknown {
  if (error instanceof Error && 'command' in error) error.command = { name: (error.command as { name?: unknown } | undefined)?.name }
  return error
}

/** The message without the position in the script, which Redis before version 7 puts before the error of a command. */
function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message.replace(/^ERR Error running script.*?@user_script: ?\d+: -?/, '')
}

function commandsOf(names: string): string {
  return names.split(' ').join(', ')
}
