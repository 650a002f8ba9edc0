import { inspect } from 'node:util'
import { assertOptionNames, OptionChecks, type Advice } from '../checks.js'

/** The attributes by which, together with the name, a browser distinguishes cookies. */
export interface CookieScope {
  readonly path: string
  readonly domain: string | undefined
  readonly partitioned: boolean
}

type ScopeOptions = { readonly [Name in keyof CookieScope]?: CookieScope[Name] | undefined }

/** The attributes of the session cookie. */
export interface CookieOptions {
  /** @default '/' */
  path?: string | undefined
  /** Absent: the cookie is only for the host that set it. */
  domain?: string | undefined
  /** @default true */
  httpOnly?: boolean | undefined
  /**
   * `true`: the cookie always has `Secure`, also when a proxy ends TLS and Koa sees plain HTTP. `'auto'`: it follows `ctx.secure` (set
   * `app.proxy` behind a proxy). @default 'auto'
   */
  secure?: boolean | 'auto' | undefined
  /** `false`: the cookie has no `SameSite`. `'none'` needs `secure`. @default 'lax' */
  sameSite?: 'lax' | 'strict' | 'none' | false | undefined
  /** CHIPS: the cookie is separate for each top-level site. Needs `secure`. @default false */
  partitioned?: boolean | undefined
  /** The priority with which Chrome keeps the cookie. Absent: the cookie has no `Priority`. */
  priority?: 'low' | 'medium' | 'high' | undefined
  /**
   * The scopes that the cookie had in earlier releases of the application. When a request sends two cookies of the name, the cookies of these
   * scopes are cleared. `path` and `domain` have the same defaults as above. `partitioned` has the present value by default. Remove this after
   * one `lifetime`. @default none
   */
  previous?: readonly ScopeOptions[] | undefined
}

/** The options with every default filled in and every check passed. */
export interface CookieSettings extends CookieScope {
  readonly httpOnly: boolean
  readonly secure: boolean | 'auto'
  readonly sameSite: 'lax' | 'strict' | 'none' | false
  readonly priority: 'low' | 'medium' | 'high' | undefined
  readonly previous: readonly CookieScope[]
}

export const defaultCookieName = 'session'

// Mapped types over the interfaces, so that the compiler keeps the lists complete.
const cookieNames = Object.keys({
  path: 0, domain: 0, httpOnly: 0, secure: 0, sameSite: 0, partitioned: 0, priority: 0, previous: 0
} satisfies { [Name in keyof Required<CookieOptions>]: 0 })

const scopeNames = Object.keys({ path: 0, domain: 0, partitioned: 0 } satisfies { [Name in keyof CookieScope]: 0 })

/** Advice for attributes of koa-session's and express-session's cookie. */
const foreignAttributes: Advice = {
  maxAge: 'is now the option lifetime, in milliseconds; for a cookie that outlives the browser also set permanent: true',
  expires: 'is now the option lifetime, in milliseconds; for a cookie that outlives the browser also set permanent: true',
  originalMaxAge: 'is now the option lifetime, in milliseconds',
  key: 'is now the option name',
  name: 'is an option beside cookie',
  signed: 'is an option beside cookie',
  keys: 'is an option beside cookie',
  overwrite: 'is not needed',
  encode: 'is not needed: the value needs no encoding'
}

// RFC 6265 section 4.1.1: a cookie's name is a token, and an attribute's value has no control character and no semicolon.
const notOfToken = /[^!#$%&'*+\-.^_`|~0-9A-Za-z]/
const pathPattern = /^\/[\x20-\x3A\x3C-\x7E]*$/
const domainPattern = /^\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i

/**
 * Checks the cookie's name and its attributes, and fills in the defaults. It never writes to what it is given.
 *
 * @param where starts the messages, for example `session(options)`.
 * @throws TypeError that names each wrong option, what is expected and what came.
 */
export function resolveCookieOptions(where: string, name: string, options: CookieOptions = {}): CookieSettings {
  const attributeChecks = new OptionChecks(`${where}: cookie`)
  attributeChecks.names(options, cookieNames, foreignAttributes)
  const checks = new OptionChecks(where)
  checks.include(() => attributeChecks.throwIfAny())
  checks.include(() => assertName(where, name))
  const { httpOnly = true, secure = 'auto', sameSite = 'lax', priority, previous = [] } = options
  const scope = resolveScope(checks, 'cookie.', options, false)
  checks.option('cookie.httpOnly', httpOnly, typeof httpOnly === 'boolean', 'true or false', quoted)
  checks.option('cookie.secure', secure, typeof secure === 'boolean' || secure === 'auto', "true, false or 'auto'", quoted)
  checks.option('cookie.sameSite', sameSite, [false, 'lax', 'strict', 'none'].includes(sameSite), "'lax', 'strict', 'none' or false", quoted)
  checks.option('cookie.priority', priority, [undefined, 'low', 'medium', 'high'].includes(priority), "'low', 'medium' or 'high'", quoted)
  checks.option('cookie.previous', previous, Array.isArray(previous), 'an array such as [{ path: "/app" }]', quoted)
  checks.throwIfAny()

  const settings: CookieSettings = {
    ...scope, httpOnly, secure, sameSite, priority,
    previous: previous.map((earlier, index) => resolvePrevious(where, `cookie.previous[${index}]`, earlier, scope))
  }
  assertBrowsersKeep(where, name, settings)
  return settings
}

function resolveScope(checks: OptionChecks, prefix: string, { path = '/', domain, partitioned }: ScopeOptions, isPartitioned: boolean): CookieScope {
  checks.option(`${prefix}path`, path, typeof path === 'string' && pathPattern.test(path), 'a path that starts with / and has no ";"', quoted)
  checks.option(`${prefix}domain`, domain, domain === undefined || (typeof domain === 'string' && domainPattern.test(domain)), 'a domain name', quoted)
  checks.option(`${prefix}partitioned`, partitioned, partitioned === undefined || typeof partitioned === 'boolean', 'true or false', quoted)
  return { path, domain, partitioned: partitioned ?? isPartitioned }
}

function resolvePrevious(where: string, name: string, given: ScopeOptions, present: CookieScope): CookieScope {
  assertOptionNames(`${where}: ${name}`, given, scopeNames)
  const checks = new OptionChecks(where)
  const scope = resolveScope(checks, `${name}.`, given, present.partitioned)
  checks.throwIfAny()
  if (isSameScope(scope, present)) {
    throw new TypeError(`${where}: ${name} is the domain and path that the cookie has now, which would be cleared: leave it out`)
  }
  return scope
}

/** Refuses cookies that browsers would drop without a message (RFC 6265bis sections 4.1.3 and 5.7; CHIPS). */
function assertBrowsersKeep(where: string, name: string, { secure, sameSite, partitioned, path, domain }: CookieSettings): void {
  const needs = (what: string, passes: boolean, need: string) => {
    if (!passes) throw new TypeError(`${where}: ${what} needs ${need}: browsers drop the cookie otherwise`)
  }
  needs("cookie.sameSite: 'none'", sameSite !== 'none' || secure !== false, "cookie.secure: true or 'auto'")
  needs('cookie.partitioned', !partitioned || secure !== false, "cookie.secure: true or 'auto'")
  needs('a name with __Secure-', !/^__secure-/i.test(name) || secure === true, 'cookie.secure: true')
  needs(
    'a name with __Host-',
    !/^__host-/i.test(name) || (secure === true && path === '/' && domain === undefined),
    "cookie.secure: true, cookie.path: '/' and no cookie.domain"
  )
}

function assertName(where: string, name: unknown): asserts name is string {
  if (typeof name !== 'string' || name === '') throw wrong(`${where}: name`, `a cookie name such as '${defaultCookieName}'`, name)
  const [bad] = notOfToken.exec(name) ?? []
  if (bad === undefined) return
  const better = name.split(notOfToken).filter((part) => part !== '').join('.')
  throw new TypeError(
    `${where}: name must be a cookie name (RFC 6265), got ${quoted(name)}: it must not contain ${quoted(bad)}; ` +
      `use for example '${better === '' ? defaultCookieName : better}'`
  )
}

export function isSameScope(one: CookieScope, other: CookieScope): boolean {
  return one.path === other.path && hostOf(one) === hostOf(other) && one.partitioned === other.partitioned
}

/** A browser ignores the case of a domain and a dot before it. */
function hostOf({ domain }: CookieScope): string | undefined {
  return domain?.toLowerCase().replace(/^\./, '')
}

function wrong(what: string, expected: string, value: unknown): TypeError {
  return new TypeError(`${what} must be ${expected}, got ${quoted(value)}`)
}

/** No option of a cookie is a secret, so the message shows the value. */
function quoted(value: unknown): string {
  return inspect(value, { depth: 0, maxStringLength: 60, breakLength: Infinity })
}
