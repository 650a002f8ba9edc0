import type { Outcome } from './bar.js'
import { Browser } from './browser.js'
import type { RaceSettings } from './settings.js'

/** The keys that the requests of a page set: each request sets one of them. */
export const keys = [
  'cart', 'theme', 'language', 'address', 'coupon', 'currency', 'delivery', 'newsletter', 'wishlist', 'consent',
  'region', 'gift', 'note', 'filter', 'sort', 'size', 'colour', 'step', 'search', 'recent'
] as const

/** One user's browser sends requests at once, and each sets another key. A key that is not there afterwards was lost. */
export async function differentKeys(origin: string, { parallel, delay }: RaceSettings): Promise<Outcome> {
  const browser = new Browser(origin)
  try {
    await browser.post('/login')
    browser.startClock()
    const sent = keys.slice(0, parallel)
    const answers = await Promise.all(sent.map((key, at) => browser.post(`/set?key=${key}&value=${at + 1}&wait=${Math.round((delay * (at + 1)) / sent.length)}`)))
    const { data } = await browser.read()
    const bars = answers.map(({ from, to }, at) => ({ label: sent[at]!, from, to, fate: data[sent[at]!] === at + 1 ? ('kept' as const) : ('lost' as const) }))
    return { bars, left: data }
  } finally {
    browser.close()
  }
}
