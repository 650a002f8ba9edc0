import type { Context } from 'koa'
import { assertOptionNames, assertOption } from '../checks.js'
import { resolveCookieOptions, SessionCookie, type CookieOptions } from '../cookie/index.js'
import type { MaybePromise } from '../store/index.js'

/** A session of the library that the application used before, as a bridge found it. */
export interface OldSession {
  /** The data that the new session begins with. */
  readonly data: object
  /** The user to whom the session belongs. Absent: nobody, as before a `loginAs()`. */
  readonly owner?: string | undefined
  /** Whether the cookie outlives the browser. Absent: as the option of `session()` says. */
  readonly permanent?: boolean | undefined
  /** The session's own idle lifetime in milliseconds. Absent: the option of `session()`. */
  readonly lifetime?: number | undefined
}

/** A cookie of the old library, with the attributes with which it was set: a browser removes it only if they are the same. */
export interface OldCookie extends Omit<CookieOptions, 'previous'> {
  /** The name of the cookie. */
  readonly name: string
}

/**
 * Reads the sessions of the library that the application used before, so that its users stay logged in.
 *
 * The middleware asks a bridge about a request without a session of ours. If the request uses `ctx.session`, its end creates a new session from
 * the old one. A minute later, the next request that uses the session clears the old cookies and calls `end`, which removes the old session.
 */
export interface Bridge {
  /** Names the bridge in warnings, errors and events. */
  readonly name: string
  /** From this moment on the middleware does not ask the bridge any more, and a process warning says that you can remove it. */
  readonly until: Date
  /** The old library's cookies. The bridge is asked only about requests with one of them. Absent: it is asked about every request. */
  readonly cookies?: readonly OldCookie[] | undefined
  /**
   * Returns the old session of a request, or `undefined` if it has none that is valid. It must verify what the old library verified.
   *
   * @param now the clock of the middleware, in milliseconds since the epoch.
   */
  read(ctx: Context, now: number): MaybePromise<OldSession | undefined>
  /** Removes the old session of a request from the old store. It must not act on a cookie that does not verify. Absent: there is no store. */
  end?(ctx: Context): MaybePromise<void>
}

/** A bridge, and its cookies as objects that find them in a request and clear them. */
export interface ResolvedBridge {
  readonly bridge: Bridge
  readonly cookies: readonly SessionCookie[]
}

const bridgeNames = Object.keys({ name: 0, until: 0, cookies: 0, read: 0, end: 0 } satisfies { [Name in keyof Required<Bridge>]: 0 })

/** Checks the bridges of the option `migrate`. @throws TypeError that names the wrong option. */
export function resolveBridges(where: string, migrate: Bridge | readonly Bridge[] | undefined): readonly ResolvedBridge[] {
  if (migrate === undefined) return []
  return [migrate].flat().map((bridge: Bridge) => {
    const name = `${where}: migrate`
    assertOptionNames(name, bridge, bridgeNames)
    const { until, cookies } = bridge
    assertOption(name, 'name', bridge.name, typeof bridge.name === 'string' && bridge.name !== '', 'the name of the bridge')
    assertOption(name, 'until', until, until instanceof Date && !Number.isNaN(until.getTime()), 'a valid Date')
    assertOption(name, 'cookies', cookies, cookies === undefined || Array.isArray(cookies), 'an array such as [{ name: "koa.sess" }]')
    for (const method of ['read', 'end'] as const) {
      const passes = typeof bridge[method] === 'function' || (method === 'end' && bridge.end === undefined)
      assertOption(name, method, bridge[method], passes, 'a function')
    }
    return { bridge, cookies: (cookies ?? []).map((cookie) => resolveOldCookie(name, cookie)) }
  })
}

/** Another library's cookie may have a name that we would refuse, such as `koa:sess`. */
function resolveOldCookie(where: string, { name, ...attributes }: OldCookie): SessionCookie {
  assertOption(where, 'the name of a cookie', name, typeof name === 'string' && /^[^\s;=,]+$/.test(name), 'the name of a cookie of the old library')
  return new SessionCookie({ name, signed: false, carriesRecord: false, cookie: resolveCookieOptions(where, 'session', attributes) })
}
