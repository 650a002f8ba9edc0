/** The cookie that express-session and koa-generic-session store with each session. */
interface ConnectCookie {
  readonly expires?: unknown
  /** In milliseconds. express-session's. */
  readonly originalMaxAge?: unknown
  /** In milliseconds. koa-generic-session's. */
  readonly maxAge?: unknown
}

/** Whether a session is over, as its cookie says. */
export function isPast(cookie: unknown, now: number): boolean {
  const { expires } = (cookie ?? {}) as ConnectCookie
  if (typeof expires !== 'string' && !(expires instanceof Date)) return false
  return new Date(expires).getTime() <= now
}

/** The session's own maximum age in milliseconds. `undefined`: the cookie ends with the browser. */
export function maxAgeOf(cookie: unknown): number | undefined {
  const { originalMaxAge, maxAge = originalMaxAge } = (cookie ?? {}) as ConnectCookie
  return typeof maxAge === 'number' && maxAge > 0 ? maxAge : undefined
}
