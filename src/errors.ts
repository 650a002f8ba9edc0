/** Every code that a `SessionError` can have. */
export type SessionErrorCode =
  | 'ERR_SESSION_STORE'
  | 'ERR_SESSION_TIMEOUT'
  | 'ERR_SESSION_CONFLICT'
  | 'ERR_SESSION_VALUE'
  | 'ERR_SESSION_TOO_LARGE'
  | 'ERR_SESSION_KEYS'
  | 'ERR_SESSION_HEADERS_SENT'

const statusOf: { readonly [Code in SessionErrorCode]: number } = {
  ERR_SESSION_STORE: 503,
  ERR_SESSION_TIMEOUT: 503,
  ERR_SESSION_CONFLICT: 503,
  ERR_SESSION_VALUE: 500,
  ERR_SESSION_TOO_LARGE: 500,
  ERR_SESSION_KEYS: 500,
  ERR_SESSION_HEADERS_SENT: 500
}

/**
 * A session could not be read, saved or removed.
 *
 * `status` and `expose` are what Koa's error handler reads: the client gets the status and its standard phrase, never
 * the message. `cause` is the backend's own error.
 */
export class SessionError extends Error {
  override readonly name = 'SessionError'
  readonly code: SessionErrorCode
  readonly status: number
  readonly expose = false

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.status = statusOf[code]
  }
}

/**
 * The error of a store whose backend failed. A `SessionError` is passed on as it is.
 *
 * @param advice what to do about it, for whoever runs the server.
 */
export function storeError(action: string, cause: unknown, advice?: string): SessionError {
  if (cause instanceof SessionError) return cause
  const message = `the session store failed to ${action}: ${withoutSecrets(reasonOf(cause))}`
  return new SessionError('ERR_SESSION_STORE', advice === undefined ? message : `${message}: ${advice}`, { cause })
}

/** The message of what was thrown, which may be anything, also what no text can be made of. */
export function reasonOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown
  if (!(thrown instanceof Error)) return `it threw ${thrown === null ? 'null' : typeof thrown}, not an error`
  try {
    const { message, name, code }: { message: unknown; name: unknown; code?: unknown } = thrown
    if (typeof message !== 'string') return `it threw an error whose message is a ${typeof message}`
    // Node's AggregateError, for a host with two addresses, has only a code, and some drivers' timeouts have only a name.
    return message || String(code ?? name)
  } catch {
    return 'it threw an error whose message cannot be read'
  }
}

/** The error of an update that lost to other writers each time it was tried. */
export function conflictError(tries: number): SessionError {
  return new SessionError(
    'ERR_SESSION_CONFLICT',
    `the session was changed by others in each of ${tries} tries to save it: send fewer parallel writes to one session`
  )
}

/** Driver messages may quote keys and paths: ids and sids in them are masked. */
function withoutSecrets(text: string): string {
  return text.replace(/[A-Za-z0-9_-]{43,}/g, '…')
}
