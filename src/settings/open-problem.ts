import { reasonOf, SessionError } from '../errors.js'
import type { SettingName } from './names.js'

/**
 * Opens a store, and lets its error name the setting.
 *
 * The error has no `cause` when there is a URL: errors of `URL` and of drivers carry it, with the password in it.
 *
 * @param url what the message must not quote. `undefined`: nothing.
 */
export function asProblemOf<T>(name: SettingName, url: string | undefined, open: () => T): T {
  try {
    return open()
  } catch (error) {
    const reason = reasonOf(error)
    const message = `settings(source): ${name}: ${url === undefined ? reason : withoutSecrets(reason, url)}`
    const options = url === undefined ? { cause: error } : undefined
    throw error instanceof TypeError ? new TypeError(message, options) : new SessionError('ERR_SESSION_STORE', message, options)
  }
}

/** Messages of `storeFromUrl()` itself quote nothing, and may have a password such as `redis` in them by chance. */
function withoutSecrets(message: string, url: string): string {
  if (message.startsWith('storeFromUrl(')) return message
  const [, password = ''] = /^[^:]+:\/\/[^@]*?:(.*)@/.exec(url) ?? []
  const secrets = [url, password, decoded(password)].filter((secret) => secret !== '')
  return secrets.some((secret) => message.includes(secret)) ? 'it cannot be used (the reason quotes the URL and is left out)' : message
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
