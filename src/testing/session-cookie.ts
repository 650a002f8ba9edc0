import { createCookie } from '../cookie.js'
import { resolveOptions, type SessionOptions } from '../options.js'
import { createSid, idOf } from '../sid.js'
import type { SessionRecord } from '../store.js'
import { encode } from '../values.js'

/**
 * Stores a session with the given data and answers the `Cookie` header of its client, so that an application's tests can
 * start logged in.
 *
 * @param options those of the application's `session()`: the same store, and `keys` also where the application has its
 * keys in `app.keys`. What does not matter for a cookie is not looked at.
 * @throws TypeError for options that are wrong; SessionError for keys that cannot sign and data that cannot be stored.
 * @example
 * ```ts
 * const cookie = await sessionCookie({ user: 'momo' }, { store, keys: app.keys })
 * const response = await fetch(`${origin}/account`, { headers: { cookie } })
 * ```
 */
export async function sessionCookie(data: object, options: SessionOptions): Promise<string> {
  const { store, cookieStore, lifetime, absoluteLifetime, permanent, now, keys, ...settings } = resolveOptions(options)
  const sid = createSid()
  const id = idOf(sid)
  const created = now()
  const record: SessionRecord = {
    rev: 1,
    id,
    created,
    expires: created + Math.min(lifetime, absoluteLifetime),
    permanent,
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(key, value)]))
  }
  const carried = cookieStore?.carry(undefined, now)
  await (carried ?? store!).create(id, record)
  const line = createCookie({ ...settings, cookieStore }).write(sid, carried?.payload(id), keys, false, undefined)
  return line.slice(0, line.indexOf(';'))
}
