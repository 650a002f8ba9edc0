/** The members with which the clients of both drivers show the state of their connection. Each kind of client has some of them. */
export interface RedisConnection {
  on?(event: string, listener: (error: unknown) => void): unknown
  connect?(): Promise<unknown>
  /** ioredis: `wait`, `connecting`, `connect`, `ready`, `reconnecting`, … */
  status?: string
  /** node-redis. */
  isOpen?: boolean
  /** node-redis, except for a pool, and for a cluster before version 6. */
  isReady?: boolean
  /** node-redis' cluster. Empty until the nodes are known. */
  masters?: readonly unknown[]
  /** ioredis' cluster. */
  startupNodes?: readonly unknown[]
  options?: Address & { socket?: Address; sentinels?: readonly Address[] | null; name?: unknown }
}

export const defaultPort = 6379

interface Address {
  host?: unknown
  port?: unknown
  path?: unknown
}

export function isReady(client: RedisConnection): boolean {
  if (client.status !== undefined) return client.status === 'ready'
  return client.isReady ?? (client.masters ? client.masters.length > 0 : client.isOpen !== false)
}

/** Reports whether the client is making its first connection. A client on which nobody has called `connect()` makes none. */
export function isConnecting(client: RedisConnection): boolean {
  if (isReady(client)) return false
  return client.status === undefined ? client.isOpen === true : ['connecting', 'connect'].includes(client.status)
}

/** Starts the first connection of a client that makes it with its first command, as ioredis does if `lazyConnect` is set. */
export function startConnecting(client: RedisConnection): void {
  // Ignore the rejection: the client also emits the error as an event.
  if (client.status === 'wait') client.connect?.().catch(() => undefined)
}

/** The address of the server, without a password: `localhost:6379`. */
export function addressOf({ options, startupNodes, masters }: RedisConnection): string {
  if (startupNodes) return `the cluster of ${startupNodes.map(hostAndPort).join(', ')}`
  if (masters) return 'the cluster'
  const sentinels = options?.sentinels
  if (sentinels) return `the sentinels ${sentinels.map(hostAndPort).join(', ')}`
  return hostAndPort(options?.socket ?? options ?? {})
}

function hostAndPort(address: unknown): string {
  // The text may be a URL with a password.
  if (typeof address === 'string') return URL.canParse(address) ? new URL(address).host : 'a node'
  if (typeof address === 'number') return `localhost:${address}`
  const { host = 'localhost', port = defaultPort, path } = address as Address
  return typeof path === 'string' ? path : `${String(host)}:${String(port)}`
}
