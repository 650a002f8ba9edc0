import type { SessionCookie } from './session-cookie.js'

/** The token of a session in the response of one request, and the headers that belong to it. */
export interface ResponseToken {
  readonly headersSent: boolean
  /**
   * Sends the token of a session. It replaces a token that was sent before.
   *
   * @param payload the record's text in base64url, if the token carries the record.
   * @param expires milliseconds since the epoch, for a cookie. Absent: the cookie ends with the browser.
   * @throws SessionError `ERR_SESSION_TOO_LARGE` if the payload makes the token too large.
   */
  send(sid: string, payload: string | undefined, expires: number | undefined): void
  /** Withdraws a token that was sent before. If the client has sent one, removes it there. */
  clear(): void
  /** Reports whether our cookie replaces the other one in a browser. */
  replaces(other: SessionCookie): boolean
  /** Removes the cookies of an earlier session library that the client has, unless ours replaces them. */
  clearOthers(cookies: readonly SessionCookie[]): void
  /** Says in `Vary` that the response depends on the session. */
  vary(): void
  /** Calls the listener once, just before the headers leave. It must not throw. Only the listener of the first call counts. */
  beforeHeaders(listener: () => void): void
  /** Sets the headers again just before they leave. Koa is about to remove every header, because it answers an error. */
  keep(): void
}
