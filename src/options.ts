import type { Context } from 'koa'
import { assertKnown, assertOption, isPositive } from './check.js'
import { longestDelay } from './delays.js'
import { assertKeys, type Keys } from './keys.js'
import { defaultScope, type SessionStore } from './store.js'
import { isCookieStore, type CookieStore } from './stores/cookie.js'
import { fileStore } from './stores/file.js'

/** Attributes of the session cookie. */
export interface CookieOptions {
  /** @default '/' */
  path?: string | undefined
  /** Absent: the cookie is for the host that set it alone. */
  domain?: string | undefined
  /** @default true */
  httpOnly?: boolean | undefined
  /** `'auto'` follows `ctx.secure` (behind a proxy: set `app.proxy`). @default 'auto' */
  secure?: boolean | 'auto' | undefined
  /** `false`: no such attribute. @default 'lax' */
  sameSite?: 'lax' | 'strict' | 'none' | false | undefined
  /** CHIPS: one cookie for each top-level site. @default false */
  partitioned?: boolean | undefined
  /** Chrome's order of eviction. Absent: no such attribute. */
  priority?: 'low' | 'medium' | 'high' | undefined
}

/** What `session()` takes; `undefined` means absent. */
export interface SessionOptions {
  /** Where sessions are kept. @default fileStore() */
  store?: SessionStore | CookieStore | undefined
  /** Secrets that sign the cookie, newest first, or a ready Keygrip. @default app.keys */
  keys?: Keys | undefined
  /** `false`: the cookie is the bare sid. @default true */
  signed?: boolean | undefined
  /** Name of the cookie. @default 'session' */
  name?: string | undefined
  /** Attributes of the cookie; those not given keep their defaults. */
  cookie?: CookieOptions | undefined
  /** Whether a new session's cookie outlives the browser. @default false */
  permanent?: boolean | undefined
  /** Idle lifetime in milliseconds. @default 31 days */
  lifetime?: number | undefined
  /** Milliseconds from creation after which a session ends, whatever refreshes it. Absent: no such end. */
  absoluteLifetime?: number | undefined
  /** Whether a request that reads a session moves its deadline. @default true */
  refreshEachRequest?: boolean | undefined
  /** A deadline moves at most once in so many milliseconds (a tenth of the lifetime, if that is less). `0`: on each request. @default 60_000 */
  touchAfter?: number | undefined
  /** Put before every id in the store. @default 'session:' */
  prefix?: string | undefined
  /** The largest record in bytes. @default 1 MiB */
  maxBytes?: number | undefined
  /** Whether changes are kept when the response is a 5xx. @default false */
  saveOnError?: boolean | undefined
  /** When the store cannot be read: `'fail'` answers 503, `'anonymous'` goes on with an empty, read-only session. @default 'fail' */
  onStoreError?: 'fail' | 'anonymous' | undefined
  /** How long one call of the store may take, in milliseconds. @default 2_000 */
  storeTimeout?: number | undefined
  /** Requests for which it answers true get no session at all. */
  skip?: ((ctx: Context) => boolean) | undefined
  /** The property of `ctx`. @default 'session' */
  as?: string | undefined
  /** The clock: milliseconds since the epoch. For tests. @default Date.now */
  now?: (() => number) | undefined
}

/** The options with every default filled in and every check passed. */
export interface Settings {
  readonly store: SessionStore | undefined
  readonly cookieStore: CookieStore | undefined
  readonly keys: Keys | undefined
  readonly signed: boolean
  readonly name: string
  readonly cookie: CookieSettings
  readonly permanent: boolean
  readonly lifetime: number
  readonly absoluteLifetime: number
  readonly refreshEachRequest: boolean
  readonly touchAfter: number
  readonly maxBytes: number
  readonly saveOnError: boolean
  readonly onStoreError: 'fail' | 'anonymous'
  readonly storeTimeout: number
  readonly skip: ((ctx: Context) => boolean) | undefined
  readonly as: string
  readonly now: () => number
}

export interface CookieSettings {
  readonly path: string
  readonly domain: string | undefined
  readonly httpOnly: boolean
  readonly secure: boolean | 'auto'
  readonly sameSite: 'lax' | 'strict' | 'none' | false
  readonly partitioned: boolean
  readonly priority: 'low' | 'medium' | 'high' | undefined
}

// Mapped types over the interfaces, so that the compiler keeps the lists complete.
const optionNames = Object.keys({
  store: 0, keys: 0, signed: 0, name: 0, cookie: 0, permanent: 0, lifetime: 0, absoluteLifetime: 0, refreshEachRequest: 0,
  touchAfter: 0, prefix: 0, maxBytes: 0, saveOnError: 0, onStoreError: 0, storeTimeout: 0, skip: 0, as: 0, now: 0
} satisfies { [Name in keyof Required<SessionOptions>]: 0 })

const cookieNames = Object.keys({
  path: 0, domain: 0, httpOnly: 0, secure: 0, sameSite: 0, partitioned: 0, priority: 0
} satisfies { [Name in keyof Required<CookieOptions>]: 0 })

const where = 'session(options)'

// RFC 6265 section 4.1.1: a cookie's name is a token, an attribute's value has no control character and no semicolon.
const tokenPattern = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/
const pathPattern = /^\/[\x20-\x3A\x3C-\x7E]*$/
const domainPattern = /^\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/i

// What Koa assigns on each ctx, before any middleware runs: an accessor in its way would throw where nothing catches it.
const ownOfContext = ['app', 'req', 'res', 'request', 'response', 'originalUrl', 'state', 'respond']

// A day after which no calendar is left: dates end 8.64e15 ms after the epoch.
const longestLifetime = 1000 * 365 * 24 * 3_600_000

/** Whether a value can be an idle lifetime: milliseconds above 0, at most a thousand years. */
export function isLifetime(value: unknown): value is number {
  return isPositive(value) && value <= longestLifetime
}

/**
 * Checks the options and fills in the defaults. Never writes to what it is given.
 *
 * @throws TypeError that names the option and what is expected; SessionError `ERR_SESSION_KEYS` for empty keys.
 */
export function resolveOptions(options: SessionOptions = {}): Settings {
  assertKnown(where, options, optionNames)
  const {
    store = fileStore(), keys, signed = true, name = 'session', permanent = false, lifetime = 31 * 24 * 3_600_000,
    absoluteLifetime = Number.POSITIVE_INFINITY, refreshEachRequest = true, touchAfter = 60_000, prefix, maxBytes = 1_048_576,
    saveOnError = false, onStoreError = 'fail', storeTimeout = 2_000, skip, as = 'session', now = defaultScope.now
  } = options

  const assert = (option: string, value: unknown, passes: boolean, expected: string) => {
    assertOption(where, option, value, passes, expected)
  }
  const carried = isCookieStore(store)
  assert('store', store, carried || isStore(store), 'a store such as fileStore() or cookieStore()')
  assert('name', name, typeof name === 'string' && tokenPattern.test(name), 'a cookie name (RFC 6265 token)')
  for (const [option, value] of Object.entries({ signed, permanent, refreshEachRequest, saveOnError })) {
    assert(option, value, typeof value === 'boolean', 'true or false')
  }
  const span = 'a number of milliseconds above 0'
  assert('lifetime', lifetime, isLifetime(lifetime), `${span}, at most a thousand years`)
  assert('absoluteLifetime', absoluteLifetime, absoluteLifetime === Number.POSITIVE_INFINITY || isPositive(absoluteLifetime), span)
  assert('touchAfter', touchAfter, touchAfter === 0 || isPositive(touchAfter), 'a number of milliseconds, 0 or more')
  assert('storeTimeout', storeTimeout, isPositive(storeTimeout) && storeTimeout <= longestDelay, `${span}, at most ${longestDelay}`)
  assert('maxBytes', maxBytes, isPositive(maxBytes), 'a number of bytes above 0')
  assert('prefix', prefix, prefix === undefined || typeof prefix === 'string', 'a string')
  assert('onStoreError', onStoreError, onStoreError === 'fail' || onStoreError === 'anonymous', "'fail' or 'anonymous'")
  assert('skip', skip, skip === undefined || typeof skip === 'function', 'a function of ctx')
  assert('as', as, typeof as === 'string' && as !== '' && !ownOfContext.includes(as), `a property name that Koa does not use (not ${ownOfContext.join(', ')})`)
  assert('now', now, typeof now === 'function', 'a function that returns milliseconds')
  if (keys !== undefined) assertKeys(keys, where)
  if (carried && !signed) throw new TypeError(`${where}: signed: false cannot be with cookieStore(): anybody could write a session; leave it out`)
  if (carried && prefix !== undefined) throw new TypeError(`${where}: prefix cannot be with cookieStore(), which has no keys; leave it out`)
  if (!carried && prefix !== undefined && !store.scope) {
    throw new TypeError(`${where}: prefix cannot be applied, the store has no scope(); give the prefix to the store itself`)
  }

  return {
    store: carried ? undefined : (store.scope?.({ prefix: prefix ?? defaultScope.prefix, now }) ?? store),
    cookieStore: carried ? store : undefined,
    cookie: resolveCookie(name, options.cookie),
    keys, signed, name, permanent, lifetime, absoluteLifetime, refreshEachRequest, touchAfter, maxBytes, saveOnError,
    onStoreError, storeTimeout, skip, as, now
  }
}

function resolveCookie(name: string, options: CookieOptions = {}): CookieSettings {
  assertKnown(`${where}: cookie`, options, cookieNames)
  const { path = '/', domain, httpOnly = true, secure = 'auto', sameSite = 'lax', partitioned = false, priority } = options
  const assert = (option: string, value: unknown, passes: boolean, expected: string) => {
    assertOption(where, `cookie.${option}`, value, passes, expected)
  }
  assert('path', path, typeof path === 'string' && pathPattern.test(path), 'a path that starts with / and has no ";"')
  assert('domain', domain, domain === undefined || (typeof domain === 'string' && domainPattern.test(domain)), 'a domain name')
  assert('httpOnly', httpOnly, typeof httpOnly === 'boolean', 'true or false')
  assert('secure', secure, typeof secure === 'boolean' || secure === 'auto', "true, false or 'auto'")
  assert('sameSite', sameSite, [false, 'lax', 'strict', 'none'].includes(sameSite), "'lax', 'strict', 'none' or false")
  assert('partitioned', partitioned, typeof partitioned === 'boolean', 'true or false')
  assert('priority', priority, [undefined, 'low', 'medium', 'high'].includes(priority), "'low', 'medium' or 'high'")

  // Browsers drop such cookies without a word (RFC 6265bis sections 4.1.3 and 5.7; CHIPS), so say it here.
  const needs = (what: string, passes: boolean, need: string) => {
    if (!passes) throw new TypeError(`${where}: ${what} needs ${need}: browsers drop the cookie otherwise`)
  }
  needs("cookie.sameSite: 'none'", sameSite !== 'none' || secure === true, 'cookie.secure: true')
  needs('cookie.partitioned', !partitioned || secure === true, 'cookie.secure: true')
  needs('a name with __Secure-', !/^__secure-/i.test(name) || secure === true, 'cookie.secure: true')
  needs(
    'a name with __Host-',
    !/^__host-/i.test(name) || (secure === true && path === '/' && domain === undefined),
    "cookie.secure: true, cookie.path: '/' and no cookie.domain"
  )
  return { path, domain, httpOnly, secure, sameSite, partitioned, priority }
}

function isStore(value: unknown): value is SessionStore {
  if (typeof value !== 'object' || value === null) return false
  const store = value as Record<string, unknown>
  return ['read', 'create', 'update', 'destroy'].every((name) => typeof store[name] === 'function')
}
