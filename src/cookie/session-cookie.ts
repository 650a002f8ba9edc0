import { emit } from './events.js'
import { keyRing, type KeyRing } from './keys.js'
import type { CookieSettings, Settings } from './options.js'
import { RecentMap } from './recent-map.js'
import { idOf, sidPattern } from './sid.js'

/** What a verified cookie says. */
export interface Token {
  readonly sid: string
  readonly id: string
  /** The record's text in base64url, when cookies are the store. */
  readonly payload: string | undefined
  /** Signed by another than the newest key: to be issued again. */
  readonly stale: boolean
}

/**
 * The session cookie: `<sid>.<mac>`, with `cookieStore()` `<sid>.<payload>.<mac>`, unsigned `<sid>`.
 *
 * One cookie, unlike the pair `name` and `name.sig` of Koa's own signed cookies, so that on key rotation value and
 * signature are issued again together and with all attributes. The mac covers the cookie's name: a cookie of one
 * middleware is worth nothing to another with the same keys.
 */
export interface SessionCookie {
  readonly name: string
  /** Follows `ctx.secure` when `'auto'`. */
  readonly secure: boolean | 'auto'
  /** Whether the header has a cookie of this name at all. */
  isIn(header: string | undefined): boolean
  /** The one session that the header names, if its cookie verifies. `keys` are the application's, now. */
  read(header: string | undefined, keys: unknown): Token | undefined
  /** A `Set-Cookie` line. `expires` (ms since the epoch) is absent for a cookie that dies with the browser. */
  write(sid: string, payload: string | undefined, keys: unknown, secure: boolean, expires: number | undefined): string
  /** The `Set-Cookie` line that removes the cookie: the same attributes, as a browser demands. */
  clear(secure: boolean): string
  /** How many verified cookies are remembered: never more than `cacheBound`. */
  readonly cached: number
}

// What a client may send; Node limits the header to 16 KiB.
const mostCookies = 8
/** Verified cookies remembered by each middleware, about 300 bytes each. */
export const cacheBound = 10_000

export function createCookie(settings: Pick<Settings, 'name' | 'signed' | 'cookie' | 'cookieStore'>): SessionCookie {
  const { name, signed, cookieStore } = settings
  const pattern = new RegExp(`^(${sidPattern})${cookieStore ? String.raw`\.([A-Za-z0-9_-]*)` : '()'}${signed ? String.raw`\.(${sidPattern})` : '()'}$`)
  const attributes = writeAttributes(settings.cookie)
  const secureAttributes = writeAttributes({ ...settings.cookie, secure: true })
  const attributesFor = (secure: boolean) => (secure ? secureAttributes : attributes)

  // HMAC objects are what a request pays most for (30-45 µs of CPU under load, most of it collecting them): remember
  // what was verified. Bounded, and dropped whole as soon as the keys are others.
  const cache = new RecentMap<Token>(cacheBound)
  let ring: KeyRing | undefined

  function ringFor(keys: unknown): KeyRing {
    const present = keyRing(keys, where, ring)
    if (present !== ring) cache.clear()
    return (ring = present)
  }

  function verify(value: string, keys: unknown): Token | undefined {
    const { signer, secrets } = signed ? ringFor(keys) : unsigned
    const known = cache.get(value)
    if (known) return known
    const [, sid, payload, mac] = pattern.exec(value) ?? []
    if (sid === undefined) return emit({ type: 'invalid-cookie', id: undefined, reason: 'malformed' })
    const age = signed ? signer.index(`${name}=${value.slice(0, -mac!.length - 1)}`, mac!) : 0
    if (age === -1) return emit({ type: 'invalid-cookie', id: undefined, reason: 'signature' })
    const token: Token = { sid, id: idOf(sid), payload: cookieStore ? payload : undefined, stale: age > 0 }
    // Not with a ready Keygrip, whose keys may change unseen, nor with payloads, which are large and never come twice.
    if (secrets && !cookieStore) cache.set(value, token)
    return token
  }

  return {
    name,
    secure: settings.cookie.secure,
    isIn: (header) => header !== undefined && valuesOf(name, header).length > 0,
    read(header, keys) {
      if (signed) ringFor(keys)
      if (header === undefined) return undefined
      const values = valuesOf(name, header)
      if (values.length === 1) return verify(values[0]!, keys)
      let found: Token | undefined
      for (const value of new Set(values)) {
        const token = verify(value, keys)
        if (token && found) return emit({ type: 'invalid-cookie', id: undefined, reason: 'ambiguous' })
        found ??= token
      }
      return found
    },
    write(sid, payload, keys, secure, expires) {
      const body = payload === undefined ? sid : `${sid}.${payload}`
      const value = signed ? `${body}.${ringFor(keys).signer.sign(`${name}=${body}`)}` : body
      const until = expires === undefined ? '' : `; Expires=${new Date(expires).toUTCString()}`
      return `${name}=${value}${attributesFor(secure)}${until}`
    },
    clear: (secure) => `${name}=${attributesFor(secure)}; Expires=Thu, 01 Jan 1970 00:00:00 GMT`,
    get cached() {
      return cache.size
    }
  }
}

const where = 'session()'
const unsigned: KeyRing = { signer: { sign: () => '', index: () => -1 }, secrets: undefined }

/** Every value of the cookie in the header, in the order of the header, as it stands there (RFC 6265 section 5.4). */
function valuesOf(name: string, header: string): string[] {
  const values: string[] = []
  for (let start = 0; start < header.length && values.length < mostCookies; ) {
    const semicolon = header.indexOf(';', start)
    const end = semicolon === -1 ? header.length : semicolon
    while (header[start] === ' ' || header[start] === '\t') start++
    if (header.startsWith(name, start) && header[start + name.length] === '=') {
      values.push(header.slice(start + name.length + 1, end).trimEnd())
    }
    start = end + 1
  }
  return values
}

function writeAttributes({ path, domain, httpOnly, secure, sameSite, partitioned, priority }: CookieSettings): string {
  let text = `; Path=${path}`
  if (domain !== undefined) text += `; Domain=${domain}`
  if (httpOnly) text += '; HttpOnly'
  if (secure === true) text += '; Secure'
  if (sameSite !== false) text += `; SameSite=${capitalized(sameSite)}`
  if (partitioned) text += '; Partitioned'
  if (priority !== undefined) text += `; Priority=${capitalized(priority)}`
  return text
}

function capitalized(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1)
}
