/** The part of a Knex instance that the store uses, so that this package needs no types of Knex. */
export interface KnexInstance {
  raw(sql: string, bindings: readonly Binding[]): KnexQuery
  readonly client: KnexClient
  /** `true` for a transaction, which the store refuses. */
  readonly isTransaction?: boolean | undefined
}

export interface KnexClient {
  /** `postgresql`, `mysql` or `sqlite3`, among others. */
  readonly dialect: string
  acquireConnection(): Promise<unknown>
  releaseConnection(connection: unknown): Promise<unknown>
}

/** Where the database is, without a user and a password: `at localhost:5432`, or `in shop.db`. */
export function addressOf({ client }: KnexInstance): string {
  const { host, port, filename, socketPath } = (client as { connectionSettings?: { [name: string]: unknown } }).connectionSettings ?? {}
  if (typeof filename === 'string') return `in ${filename}`
  if (typeof socketPath === 'string') return `at ${socketPath}`
  if (typeof host !== 'string') return 'at an unknown address'
  return typeof port === 'string' || typeof port === 'number' ? `at ${host}:${port}` : `at ${host}`
}

export interface KnexQuery extends PromiseLike<unknown> {
  connection(connection: unknown): KnexQuery
  timeout(milliseconds: number, options: { cancel: boolean }): KnexQuery
}

/** A value for a `?` in a statement. */
export type Binding = string | number | Uint8Array | null

/** Reports whether a value has the methods that the store uses. */
export function isKnex(value: unknown): value is KnexInstance {
  if (typeof value !== 'function' && (typeof value !== 'object' || value === null)) return false
  const { raw, client } = value as Partial<KnexInstance>
  return typeof raw === 'function' && typeof client === 'object' && client !== null && typeof client.acquireConnection === 'function'
}
