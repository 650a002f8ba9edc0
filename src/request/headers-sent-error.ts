import { SessionError } from '../errors.js'

/** Makes the error for a call whose cookie cannot be sent any more. @param action the call in the words of the message: `log in`. */
export function headersSentError(action: string): SessionError {
  return new SessionError('ERR_SESSION_HEADERS_SENT', `cannot ${action}: the headers were sent already, so its cookie cannot be sent: call this before the headers are flushed`)
}
