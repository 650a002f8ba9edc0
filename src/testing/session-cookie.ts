import { createSid, idOf, SessionCookie } from '../cookie/index.js'
import { resolveOptions, type SessionOptions } from '../options.js'
import { createMark, encode, type SessionRecord } from '../record/index.js'
import { RecordSources } from '../record-sources.js'
import { TimedStore } from '../store/index.js'

/**
 * Stores a session with the given data and returns the `Cookie` header of its client, so that an application's tests can start logged in.
 *
 * @param options the options of the application's `session()`, with the same store object. If the application sets `app.keys`, pass them as `keys`.
 * @param owner the owner, as `loginAs()` sets it. Absent: an anonymous session.
 * @throws TypeError for options that are wrong; SessionError for keys that cannot sign and data that cannot be stored.
 * @example
 * ```ts
 * const cookie = await sessionCookie({ theme: 'dark' }, { store, keys: app.keys }, user.id)
 * const response = await fetch(`${origin}/account`, { headers: { cookie } })
 * ```
 */
export async function sessionCookie(data: object, options: SessionOptions, owner?: string): Promise<string> {
  const settings = resolveOptions(options)
  const { store, storeTimeout, lifetime, absoluteLifetime, permanent, now, keys, cookieRules } = settings
  const sid = createSid()
  const created = now()
  const record: SessionRecord = {
    rev: 1,
    write: createMark(),
    id: idOf(sid),
    created,
    used: created,
    expires: created + Math.min(lifetime, absoluteLifetime),
    permanent,
    ...(owner !== undefined && { owner }),
    data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, encode(key, value)]))
  }
  const source = new RecordSources(settings, store && new TimedStore(store, storeTimeout)).forRequest([], keys)
  await source.store.create(source.sealing.close(record, sid))
  const line = new SessionCookie(cookieRules).write(sid, source.carrier?.payload(record.id, sid), keys, false, undefined)
  return line.slice(0, line.indexOf(';'))
}
