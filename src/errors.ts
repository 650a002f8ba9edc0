/** Every code that a `SessionError` can have. */
export type SessionErrorCode =
  | 'ERR_SESSION_STORE'
  | 'ERR_SESSION_TIMEOUT'
  | 'ERR_SESSION_CONFLICT'
  | 'ERR_SESSION_VALUE'
  | 'ERR_SESSION_TOO_LARGE'
  | 'ERR_SESSION_KEYS'
  | 'ERR_SESSION_HEADERS_SENT'

const statusByCode: { readonly [Code in SessionErrorCode]: number } = {
  ERR_SESSION_STORE: 503,
  ERR_SESSION_TIMEOUT: 503,
  ERR_SESSION_CONFLICT: 503,
  ERR_SESSION_VALUE: 500,
  ERR_SESSION_TOO_LARGE: 500,
  ERR_SESSION_KEYS: 500,
  ERR_SESSION_HEADERS_SENT: 500
}

const brand = Symbol.for('koa-keepsake SessionError')

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
  // An application may load the ESM and the CommonJS build, and `instanceof` must not depend on which one made the error.
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === 'object' && value !== null && brand in value
  }

  constructor(code: SessionErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.status = statusByCode[code]
  }

  get [brand](): true {
    return true
  }
}

/**
 * Makes the error of a store whose backend failed. A `SessionError` is returned as it is.
 *
 * @param action the call in the words of the message: `read a session`.
 * @param advice tells an operator what to do about it.
 * @param backend names the backend with its address. The message repeats neither.
 */
export function storeError(action: string, cause: unknown, advice?: string, backend?: string): SessionError {
  if (cause instanceof SessionError) return cause
  // Node's error for a host with two addresses contains none of them.
  const named = backend === undefined || advice?.includes(backend) ? '' : ` (${backend})`
  const message = `the session store${named} failed to ${action}: ${withoutSecrets(reasonOf(cause))}`
  return new SessionError('ERR_SESSION_STORE', advice === undefined ? message : `${message}: ${advice}`, { cause })
}

/** The message of a thrown value, which may be no error, or an error whose message cannot be read. */
export function reasonOf(thrown: unknown): string {
  if (typeof thrown === 'string') return thrown
  if (!(thrown instanceof Error)) return `it threw ${thrown === null ? 'null' : typeof thrown}, not an error`
  try {
    const { message, name, code }: { message: unknown; name: unknown; code?: unknown } = thrown
    if (typeof message !== 'string') return `it threw an error whose message is a ${typeof message}`
    // Node's AggregateError for a host with two addresses has only a code, and the timeouts of some drivers have only a name.
    return message || String(code ?? name)
  } catch {
    return 'it threw an error whose message cannot be read'
  }
}

/** Makes the error of a call that lost to other writers each time it was tried. */
export function conflictError(tries: number): SessionError {
  return new SessionError(
    'ERR_SESSION_CONFLICT',
    `other requests changed the session during each of ${tries} tries to save it: send fewer parallel writes to one session`
  )
}

/** Masks ids and sids: the messages of drivers may quote keys and paths. */
function withoutSecrets(text: string): string {
  return text.replace(/[A-Za-z0-9_-]{43,}/g, '…')
}
