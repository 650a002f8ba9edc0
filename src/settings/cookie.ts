import { domainToASCII } from 'node:url'
import { defaultCookieName, resolveCookieOptions, type CookieOptions } from '../cookie/index.js'
import { Refusal, withoutAbsent, type Parse, type SettingsReader } from './reader.js'
import { flag, flagOrAuto, wordOf } from './values.js'

/** The name and the attributes of the cookie. Those that are absent keep the middleware's defaults. */
export function cookieFrom(reader: SettingsReader): { name?: string; cookie?: CookieOptions } {
  const name = reader.read('SESSION_COOKIE_NAME', cookieName)
  const cookie = withoutAbsent({
    path: reader.read('SESSION_COOKIE_PATH', path),
    domain: reader.read('SESSION_COOKIE_DOMAIN', domain),
    httpOnly: reader.read('SESSION_COOKIE_HTTPONLY', flag),
    secure: reader.read('SESSION_COOKIE_SECURE', flagOrAuto),
    sameSite: reader.read('SESSION_COOKIE_SAMESITE', sameSite),
    partitioned: reader.read('SESSION_COOKIE_PARTITIONED', flag)
  })
  const problem = problemOf(name ?? defaultCookieName, cookie)
  if (problem !== undefined) reader.addProblem(problem.replace(/cookie\.(\w+)/g, (_, option: string) => `SESSION_COOKIE_${option.toUpperCase()}`))
  return withoutAbsent({ name, cookie: Object.keys(cookie).length > 0 ? cookie : undefined })
}

// With `secure`, because the rules for __Host- and __Secure- are checked later, together with the attributes.
const cookieName: Parse<string> = (value) => checked(value, 'a cookie name', (name) => problemOf(name, { secure: true }))

const path: Parse<string | undefined> = (value) =>
  value === null || value === 'null' || value === '' ? undefined : checked(value, 'a path that starts with /', (given) => problemOf(defaultCookieName, { path: given }))

/** Removes leading dots and converts the domain to ASCII, as Werkzeug does. */
const domain: Parse<string | undefined> = (value) => {
  if (value === null || value === 'null' || value === false || value === '') return undefined
  const bare = typeof value === 'string' ? value.replace(/^\.+/, '') : value
  const ascii = typeof bare === 'string' && /[^\0-\x7F]/.test(bare) ? domainToASCII(bare) : bare
  return checked(ascii, 'a domain name', (given) => problemOf(defaultCookieName, { domain: given }))
}

const sameSiteWord = wordOf(['lax', 'strict', 'none'], 'Lax, Strict, None, or null for no such attribute')

/** The text `None` is the attribute's value and not Python's `None`, as in Flask. */
const sameSite: Parse<'lax' | 'strict' | 'none' | false> = (value) =>
  value === null || value === 'null' || value === false || value === 'false' ? false : sameSiteWord(value)

/** Checks text with the middleware's own check. It refuses a URL before, because that check's message shows the value, which may hold a password. */
function checked(value: unknown, expected: string, check: (text: string) => string | undefined): string | Refusal {
  if (typeof value !== 'string' || value.includes('://')) return new Refusal(`must be ${expected}`)
  const problem = check(value)
  return problem === undefined ? value : new Refusal(problem.replace(/^(?:cookie\.)?\w+ /, ''), { hidesValue: true })
}

function problemOf(name: string, options: CookieOptions): string | undefined {
  try {
    resolveCookieOptions('settings', name, options)
    return undefined
  } catch (error) {
    if (error instanceof TypeError) return error.message.replace(/^settings: /, '')
    throw error
  }
}
