import * as fc from 'fast-check'
import { createSid, resolveCookieOptions, SessionCookie, type CookieOptions, type CookieRules } from '../../src/cookie/index.js'

/** Helpers for tests of the session cookie: cookies with the default options, and texts that clients send. */

export const secret = 'a secret of more than thirty-two characters'
export const newer = 'the newer key, which is longer than 32 characters'

type Given = Partial<Omit<CookieRules, 'cookie'>> & { readonly cookie?: CookieOptions | undefined }

export function cookieOf({ name = 'session', signed = true, carriesRecord = false, cookie }: Given = {}): SessionCookie {
  return new SessionCookie({ name, signed, carriesRecord, cookie: resolveCookieOptions('session(options)', name, cookie) })
}

/** A valid `Cookie` header. */
export function issue(subject: SessionCookie, keys: unknown = [secret], payload?: string, sid = createSid()): string {
  const line = subject.write(sid, payload, keys, false, undefined)
  return line.slice(0, line.indexOf(';'))
}

export const base64url = fc.constantFrom(...'A B C X Y Z a b c x y z 0 1 8 9 - _'.split(' '))

/** A text of base64url of exactly that length. */
export const piece = (length: number) => fc.string({ unit: base64url, minLength: length, maxLength: length })

/** Characters that a header may have: latin1 without control characters, and often those of cookies. */
export const noise = fc.oneof(
  fc.string({ unit: fc.integer({ min: 0x20, max: 0xff }).filter((code) => code !== 0x7f).map((code) => String.fromCharCode(code)), maxLength: 200 }),
  fc.string({ unit: base64url, maxLength: 100 }),
  fc.constantFrom('', '.', '..', '=', ';', '"', '%', '%2E', ',', 'session', 'session=', '__proto__', '\t', '\u00a0')
)

/** A text of the form that a cookie has, which nobody signed. */
export const forged = fc.tuple(piece(43), piece(43)).map((parts) => parts.join('.'))

/** A change of a text, which may leave it as it is. */
export type Edit = (text: string) => string

export const edits: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(fc.nat(), fc.nat({ max: 5 }), noise).map(([at, length, replacement]): Edit => (text) => {
    const start = at % (text.length + 1)
    return text.slice(0, start) + replacement + text.slice(start + length)
  }),
  fc.nat().map((at): Edit => (text) => text.slice(0, at % text.length)),
  fc.nat().map((at): Edit => (text) => text.slice(1 + (at % text.length))),
  noise.map((more): Edit => (text) => text + more),
  noise.map((more): Edit => (text) => more + text),
  fc.constantFrom<Edit>(
    (text) => text.toUpperCase(),
    (text) => text.toLowerCase(),
    (text) => text.split('.').toReversed().join('.'),
    (text) => `""${text}""`,
    (text) => `"${text}`,
    (text) => `${text}"`,
    (text) => `' ${text}'`,
    (text) => encodeURIComponent(text).replaceAll('.', '%2E'),
    (text) => text.replaceAll('-', '+').replaceAll('_', '/'),
    (text) => `${text}=`,
    (text) => `${text}\u00a0`,
    (text) => text.repeat(200)
  )
)

/** Reports whether a part of a `Cookie` header is the whole value, possibly with spaces and tabs around it or in one pair of double quotes. */
export function isWhole(part: string, value: string): boolean {
  const trimmed = part.replace(/^[ \t]+|[ \t]+$/g, '')
  return [value, `"${value}"`].some((whole) => trimmed === whole || trimmed === `session=${whole}`)
}
