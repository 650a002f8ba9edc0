/** Takes the picture of the demo from its real page: `node --import=./test/support/typescript/register.js test/demo/picture.ts` writes docs/race.png. */
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { closeChromium, openBrowser } from '../support/browser.js'
import { openDemo } from '../support/demo-here.js'
import { makeDirectory } from '../support/demo.js'

const ends: (() => unknown)[] = []
const t = { teardown: (end: () => unknown) => void ends.unshift(end) }

const pathOf = (name: string) => fileURLToPath(new URL(`../../docs/${name}`, import.meta.url))

/** The two kinds of traffic that the promise names, as wide as GitHub shows a README, and sharp on screens with more pixels. */
async function takeRace(page: Page, origin: string): Promise<void> {
  await page.goto(`${origin}/race`)
  await page.getByRole('button', { name: 'Send the traffic' }).click()
  await page.waitForURL(/run=/)
  const [first, last] = await Promise.all([0, 1].map((at) => page.locator('section.race').nth(at).boundingBox()))
  const scrolled = await page.evaluate<number>('scrollY')
  const margin = 12
  const [x, y] = [first!.x - margin, first!.y + scrolled - margin]
  const height = last!.y + last!.height - first!.y + 2 * margin
  await page.screenshot({ path: pathOf('race.png'), fullPage: true, clip: { x, y, width: first!.width + 2 * margin, height } })
}

// The page about the session shows the directory, relative to this one.
process.chdir(await makeDirectory(t))
const { origin } = await openDemo(t, { SESSION_FILE_DIR: 'sessions' })
const open = async (options: Parameters<typeof openBrowser>[1]) => (await openBrowser(t, { ...options, colorScheme: 'light' })).newPage()
await takeRace(await open({ viewport: { width: 900, height: 1200 }, deviceScaleFactor: 1.5 }), origin)
for (const end of ends) await end()
await closeChromium()
