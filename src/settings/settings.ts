import { kindOf } from '../checks.js'
import type { SessionOptions } from '../options.js'
import { cookieFrom } from './cookie.js'
import { keysFrom } from './keys.js'
import type { SettingsSource } from './names.js'
import { SettingsReader, withoutAbsent } from './reader.js'
import { chooseStore } from './stores.js'
import { reportUnknownNames } from './unknown-names.js'
import { flag, prefix, seconds } from './values.js'
import { checkWithoutEffect } from './without-effect.js'

/**
 * Makes the options of `session()` from the settings of Flask and Flask-Session.
 *
 * Absent settings give no options, so you may spread the result after defaults of your own. (There is always a `store`.)
 *
 * @param source `process.env`, or an object with text or values. Other names are ignored, unless they look like a setting.
 * @throws TypeError that lists all wrong names and values; SessionError `ERR_SESSION_STORE` when a driver is missing.
 * @example
 * app.use(session(settings(process.env)))
 */
export function settings(source: SettingsSource): SessionOptions {
  if (typeof source !== 'object' || source === null || Array.isArray(source)) {
    throw new TypeError(`settings(source): source must be process.env or an object with settings, got ${kindOf(source)}`)
  }
  const reader = new SettingsReader(source)
  checkWithoutEffect(reader)
  const store = chooseStore(reader)
  const signed = reader.read('SESSION_USE_SIGNER', flag)
  const keyPrefix = reader.read('SESSION_KEY_PREFIX', prefix)
  const options = withoutAbsent({
    keys: keysFrom(reader),
    ...cookieFrom(reader),
    permanent: reader.read('SESSION_PERMANENT', flag),
    lifetime: reader.read('PERMANENT_SESSION_LIFETIME', seconds),
    refreshEachRequest: reader.read('SESSION_REFRESH_EACH_REQUEST', flag),
    // As in Flask, a session in the cookie is always signed, and has no id in a store to prefix.
    ...(!store.isCookie && { signed, prefix: keyPrefix })
  })
  reportUnknownNames(reader)
  reader.assertNoProblems()
  return { store: store.open(), ...options }
}
