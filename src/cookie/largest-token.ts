import { SessionError } from '../errors.js'

/**
 * The largest token that carries a record, in bytes. A browser keeps no larger cookie: name, value and attributes (RFC 6265 section 6.1). All
 * headers of a request together may have 16 KiB in Node.
 */
const largestToken = 4096

/** @throws SessionError `ERR_SESSION_TOO_LARGE` when the record in a token makes it too large. */
export function assertTokenFits(what: 'cookie' | 'token', text: string): void {
  if (text.length <= largestToken) return
  const limit = what === 'cookie' ? `browsers keep only ${largestToken}` : `at most ${largestToken} are sent`
  throw new SessionError('ERR_SESSION_TOO_LARGE', `the session's ${what} has ${text.length} bytes, but ${limit}: store less, or use a store such as fileStore()`)
}
