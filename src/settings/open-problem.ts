import { reasonOf, SessionError } from '../errors.js'
import type { SettingName } from './names.js'

/**
 * Opens a store. If that fails, the error names the setting.
 *
 * If there is a URL, the error has no `cause`, because errors of `URL` and of drivers contain the URL with its password.
 *
 * @param url the URL that the message must not quote. `undefined`: there is none.
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

/** Removes a message that quotes the URL. Messages of `storeFromUrl()` never do, but may contain a password such as `redis` by chance. */
function withoutSecrets(message: string, url: string): string {
  if (message.startsWith('storeFromUrl(')) return message
  const [, password = ''] = /^[^:]+:\/\/[^@]*?:(.*)@/.exec(url) ?? []
  const secrets = [url, password, decoded(password)].filter((secret) => secret !== '')
  return secrets.some((secret) => message.includes(secret)) ? 'it cannot be used: check the URL (the error of the driver quotes it and is left out)' : message
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return ''
  }
}
