/** The cookie that express-session and koa-generic-session store with each session. */
interface ConnectCookie {
  readonly expires?: unknown
  /** The maximum age in milliseconds, from express-session. */
  readonly originalMaxAge?: unknown
  /** The maximum age in milliseconds, from koa-generic-session. */
  readonly maxAge?: unknown
}

/** Reports whether a session has expired, by the `expires` of its cookie. */
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
