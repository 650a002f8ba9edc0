import { setTimeout } from 'node:timers/promises'
import type { Outcome } from './bar.js'
import { Browser } from './browser.js'
import type { RaceSettings } from './settings.js'

export interface LogoutOutcome extends Outcome {
  /** The data that the user's own browser opens afterwards. */
  own: Record<string, unknown>
}

/** A user logs out while a slow request is in progress. Then somebody tries a copy of the cookie that was made before the logout. */
export async function logoutBesideUpload(origin: string, { delay }: RaceSettings): Promise<LogoutOutcome> {
  const browser = new Browser(origin)
  await browser.post('/login')
  browser.startClock()
  const copy = browser.copy()
  try {
    const finish = await browser.upload('/upload')
    await setTimeout(delay)
    const logout = await browser.post('/logout')
    await setTimeout(delay)
    const upload = await finish()
    const old = await copy.read()
    const own = await browser.read()
    const isBack = 'user' in old.data
    return {
      bars: [
        { label: isBack ? 'slow upload' : 'slow upload: dropped with its session', from: upload.from, to: upload.to, fate: isBack ? 'kept' : 'ended' },
        { label: isBack ? 'logout: undone' : 'logout', from: logout.from, to: logout.to, fate: isBack ? 'lost' : 'kept' },
        { label: isBack ? 'the old cookie opens the session' : 'the old cookie opens nothing', from: old.from, to: old.to, fate: isBack ? 'lost' : 'kept' }
      ],
      left: old.data,
      own: own.data
    }
  } finally {
    browser.close()
    copy.close()
  }
}
