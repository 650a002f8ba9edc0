import type { Context } from 'koa'
import { isCount, isPositive, kindOf, OptionChecks } from './checks.js'
import { assertCarrier, assertKeys, assertSecrets, resolveCookieOptions, type Carrier, type CookieOptions, type CookieRules, type Keys } from './cookie/index.js'
import { longestDelay } from './delays.js'
import { adviceOnForeign, adviceOnStore, assertNoApplication } from './option-advice.js'
import { cannotListOwners, isLifetime, resolveBridges, warnOfShortLifetime, type Bridge, type ResolvedBridge, type SessionRules } from './request/index.js'
import { defaultScope, type SessionStore } from './store/index.js'
import { adapterOf } from './stores/adapters/index.js'
import { isCookieStore, type CookieStore } from './stores/cookie.js'
import { fileStore } from './stores/file/index.js'

/** The options of `session()`. `undefined` means absent. */
export interface SessionOptions {
  /** The store that keeps the sessions. @default fileStore() */
  store?: SessionStore | CookieStore | undefined
  /** Secrets that sign the cookie, newest first, or a ready Keygrip over SHA-256. @default app.keys */
  keys?: Keys | undefined
  /** `false`: the cookie is the bare sid. @default true */
  signed?: boolean | undefined
  /** Name of the cookie. @default 'session' */
  name?: string | undefined
  /** Attributes of the cookie. Those that are absent keep their defaults. */
  cookie?: CookieOptions | undefined
  /** The value of `permanent` in a new session. `true`: the cookie outlives the browser. @default false */
  permanent?: boolean | undefined
  /** Idle lifetime in milliseconds. @default 31 days */
  lifetime?: number | undefined
  /** Maximum age of a session in milliseconds, however active it is. Absent: no maximum. */
  absoluteLifetime?: number | undefined
  /** Whether a request that reads a session moves its deadline. @default true */
  refreshEachRequest?: boolean | undefined
  /** A deadline moves at most once in this many milliseconds, or in a tenth of the lifetime if that is less. `0`: on each request. @default 60_000 */
  touchAfter?: number | undefined
  /** Prefix of every id in the store. @default 'session:' */
  prefix?: string | undefined
  /** Maximum size of a record in bytes. Saving a larger one fails, and the stored one stays. @default 64 KiB */
  maxBytes?: number | undefined
  /** Whether changes are kept when the response is a 5xx. @default false */
  saveOnError?: boolean | undefined
  /** When the store cannot be read: `'fail'` answers 503, `'anonymous'` goes on with an empty, read-only session. @default 'fail' */
  onStoreError?: 'fail' | 'anonymous' | undefined
  /** Maximum duration of one store call, in milliseconds. @default 2_000 */
  storeTimeout?: number | undefined
  /**
   * Maximum number of sessions of one owner. Over it, `loginAs()` ends the least recently used ones. The store must be able to list the
   * sessions of an owner. Absent: no maximum.
   */
  maxPerOwner?: number | undefined
  /** Bridges of `koa-keepsake/migrating`, which keep the users of an earlier session library logged in. @default none */
  migrate?: Bridge | readonly Bridge[] | undefined
  /**
   * `true`: data is encrypted at rest, with a key that needs both the sid and a secret, and records that are not are refused. `'migrate'`: those
   * are read too, and encrypted when they are written next. `keys` must be an array of secrets. @default false
   */
  seal?: boolean | 'migrate' | undefined
  /** Carries the session's token elsewhere than in the cookie, for example in a header for native clients. Absent: the cookie. */
  carrier?: Carrier | undefined
  /** Requests for which it returns `true` get no session at all. Absent: each request gets one. */
  skip?: ((ctx: Context) => boolean) | undefined
  /** The property of `ctx` that is the session. @default 'session' */
  as?: string | undefined
  /** The clock: milliseconds since the epoch. For tests. @default Date.now */
  now?: (() => number) | undefined
}

/** The options with every default filled in and every check passed. */
export interface Settings extends SessionRules {
  /** Absent with a cookie store. */
  readonly store: SessionStore | undefined
  readonly cookieStore: CookieStore | undefined
  /** Absent: the application's `app.keys`. */
  readonly keys: Keys | undefined
  readonly cookieRules: CookieRules
  /** Absent: the cookie. */
  readonly carrier: Carrier | undefined
  readonly seal: boolean | 'migrate'
  readonly saveOnError: boolean
  readonly storeTimeout: number
  /** The size in bytes over which a stored text is corrupt. */
  readonly largest: number
  readonly bridges: readonly ResolvedBridge[]
  readonly skip: ((ctx: Context) => boolean) | undefined
  readonly as: string
}

// A mapped type over the interface: the compiler keeps the list complete.
const optionNames = Object.keys({
  store: 0, keys: 0, signed: 0, name: 0, cookie: 0, permanent: 0, lifetime: 0, absoluteLifetime: 0, refreshEachRequest: 0,
  touchAfter: 0, prefix: 0, maxBytes: 0, saveOnError: 0, onStoreError: 0, storeTimeout: 0, maxPerOwner: 0, migrate: 0, seal: 0, carrier: 0, skip: 0, as: 0, now: 0
} satisfies { [Name in keyof Required<SessionOptions>]: 0 })

const where = 'session(options)'

/** Names that Koa's context has. A session under one of them would hide Koa's property, or throw when Koa assigns it. */
const namesOfContext: ReadonlySet<string> = new Set(
  ('app req res request response originalUrl state respond cookies body status message length type headerSent redirect attachment set append ' +
    'remove vary lastModified etag method url origin href path query querystring search host hostname header headers fresh stale socket protocol ' +
    'secure ip ips subdomains accepts acceptsEncodings acceptsCharsets acceptsLanguages is get throw assert onerror inspect toJSON writable flushHeaders back').split(' ')
)

/**
 * Checks the options and fills in the defaults. It never writes to what it is given.
 *
 * @param second the second argument of `session()`, which has none.
 * @throws TypeError that names each wrong option and what is expected; SessionError `ERR_SESSION_KEYS` for empty keys.
 */
export function resolveOptions(options: SessionOptions = {}, second?: unknown): Settings {
  assertNoApplication(where, options, second)
  const checks = new OptionChecks(where)
  checks.names(options, optionNames, adviceOnForeign(options))
  const {
    store = fileStore(),
    keys,
    signed = true,
    name = 'session',
    permanent = false,
    lifetime = 31 * 24 * 3_600_000,
    absoluteLifetime = Infinity,
    refreshEachRequest = true,
    touchAfter = 60_000,
    prefix,
    maxBytes = 64 * 1024,
    saveOnError = false,
    onStoreError = 'fail',
    storeTimeout = 2_000,
    maxPerOwner,
    migrate,
    seal = false,
    carrier,
    skip,
    as = 'session',
    now = Date.now
  } = options
  const assert = (option: keyof SessionOptions, value: unknown, passes: boolean, expected: string, describe?: typeof kindOf) => {
    checks.option(option, value, passes, expected, describe)
  }
  const carriesRecord = isCookieStore(store)
  const adapter = adapterOf(store)
  const expectedStore = `a store such as fileStore() or cookieStore(), with the methods read, create, update and destroy${adviceOnStore(store)}`
  if (adapter) checks.add(`store is a store of another library (get, set, destroy): wrap it, as store: ${adapter}(store)`)
  // `kindOf`, because text may be a URL with a password.
  else assert('store', store, carriesRecord || isStore(store), expectedStore, kindOf)
  assert('signed', signed, typeof signed === 'boolean', 'true or false')
  assert('permanent', permanent, typeof permanent === 'boolean', 'true or false')
  assert('lifetime', lifetime, isLifetime(lifetime), 'a number of milliseconds above 0, at most a thousand years')
  assert('absoluteLifetime', absoluteLifetime, absoluteLifetime === Infinity || isLifetime(absoluteLifetime), 'a number of milliseconds above 0')
  assert('refreshEachRequest', refreshEachRequest, typeof refreshEachRequest === 'boolean', 'true or false')
  assert('touchAfter', touchAfter, Number.isFinite(touchAfter) && touchAfter >= 0, 'a number of milliseconds, 0 or more')
  assert('prefix', prefix, prefix === undefined || typeof prefix === 'string', 'a string')
  assert('maxBytes', maxBytes, isPositive(maxBytes), 'a number of bytes above 0')
  assert('saveOnError', saveOnError, typeof saveOnError === 'boolean', 'true or false')
  assert('onStoreError', onStoreError, onStoreError === 'fail' || onStoreError === 'anonymous', "'fail' or 'anonymous'")
  assert('storeTimeout', storeTimeout, isPositive(storeTimeout) && storeTimeout <= longestDelay, `a number of milliseconds above 0, at most ${longestDelay}`)
  assert('maxPerOwner', maxPerOwner, maxPerOwner === undefined || (isCount(maxPerOwner) && maxPerOwner > 0), 'a whole number above 0')
  assert('seal', seal, typeof seal === 'boolean' || seal === 'migrate', "true, false or 'migrate'")
  assert('skip', skip, skip === undefined || (typeof skip === 'function' && !isAsync(skip)), 'a function that returns true or false, and no promise')
  assert('as', as, typeof as === 'string' && as !== '' && !namesOfContext.has(as), 'a property name that Koa does not use')
  assert('now', now, typeof now === 'function' && typeof now() === 'number', 'a function that returns milliseconds since the epoch')
  const bridges = checks.include(() => resolveBridges(where, migrate))
  const cookie = checks.include(() => resolveCookieOptions(where, name, options.cookie))
  if (keys !== undefined) checks.include(() => assertKeys(keys, where))
  if (keys !== undefined && seal !== false) checks.include(() => assertSecrets(keys, where, 'seal'))
  if (keys !== undefined && isCookieStore(store) && store.encrypts) checks.include(() => assertSecrets(keys, where, 'cookieStore({ encrypt: true })'))
  if (carriesRecord && seal !== false) checks.add('seal cannot be used with cookieStore(), which keeps no record at rest: use cookieStore({ encrypt: true })')
  if (carrier !== undefined) checks.include(() => assertCarrier(where, carrier))
  if (carrier !== undefined && options.cookie !== undefined) checks.add('cookie cannot be used with carrier, because no cookie is sent: leave it out')
  if (carriesRecord && !signed) checks.add('signed: false cannot be used with cookieStore(), because anybody could write a session: leave it out')
  if (carriesRecord && prefix !== undefined) checks.add('prefix cannot be used with cookieStore(), which stores nothing under an id: leave it out')
  if (isStore(store) && prefix !== undefined && !store.scope) {
    checks.add('prefix cannot be used with this store, which has no scope(): give the prefix to the store itself')
  }
  if (maxPerOwner !== undefined && (carriesRecord || (isStore(store) && !store.ownedBy))) checks.add(`maxPerOwner: ${cannotListOwners}`)
  checks.throwIfAny()
  warnOfShortLifetime('the option lifetime', lifetime)
  warnOfShortLifetime('the option absoluteLifetime', absoluteLifetime)

  // A record that carries over what two requests have saved may have twice maxBytes. Base64 adds a third to sealed data.
  const largest = (seal === false ? 2 : 3) * maxBytes
  return {
    store: carriesRecord ? undefined : (store.scope?.({ prefix: prefix ?? defaultScope.prefix, now, largest }) ?? store),
    cookieStore: carriesRecord ? store : undefined,
    bridges: bridges!,
    cookieRules: { name, signed, carriesRecord, cookie: cookie! },
    keys, permanent, lifetime, absoluteLifetime, refreshEachRequest, touchAfter, maxBytes, largest, seal, saveOnError, onStoreError, storeTimeout, maxPerOwner, carrier, skip, as, now
  }
}

function isStore(value: unknown): value is SessionStore {
  if (typeof value !== 'object' || value === null) return false
  const store = value as Record<string, unknown>
  return ['read', 'create', 'update', 'destroy'].every((name) => typeof store[name] === 'function')
}

function isAsync(fn: object): boolean {
  return Object.prototype.toString.call(fn) === '[object AsyncFunction]'
}
