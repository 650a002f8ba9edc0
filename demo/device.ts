import { parse } from 'bowser'

/** Describes a device by its user agent, for its owner to recognise. Anybody can send any user agent, so nothing depends on it. */
export interface Device {
  /** Browser and system, as far as they are known. */
  name: string
  icon: 'phone' | 'computer'
}

/** More of a user agent is not kept in the session. */
export const longestUserAgent = 300

export function deviceOf(userAgent: unknown): Device {
  if (typeof userAgent !== 'string' || userAgent === '') return { name: 'Unknown browser', icon: 'computer' }
  const { browser, os, platform } = parse(userAgent)
  const system = [os.name, os.versionName].filter(Boolean).join(' ')
  return {
    name: (browser.name || 'Unknown browser') + (system && ` on ${system}`),
    icon: platform.type === 'mobile' || platform.type === 'tablet' ? 'phone' : 'computer'
  }
}
