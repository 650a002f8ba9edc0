/** Takes the pictures of the demo from its real pages: `node --import=tsx test/demo/picture.ts` writes docs/race.png and docs/demo.png. */
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { closeChromium, openBrowser } from '../support/browser.js'
import { openDemo } from '../support/demo-here.js'
import { makeDirectory } from '../support/demo.js'
import { login } from './browser-steps.js'

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

/** The start page in light beside the page about the session in dark. */
async function takeShop(page: Page, origin: string): Promise<void> {
  await login(page, origin, true)
  for (const name of ['Sea shell', 'Pocket watch']) {
    await page.goto(`${origin}/shop`)
    await page.getByRole('button', { name: `Add ${name} to the cart` }).click()
    await page.waitForURL(/#/)
  }
  for (let times = 1; times <= 7; times++) {
    await page.goto(origin)
    await page.getByRole('button', { name: 'Count', exact: true }).click()
    await page.locator('#count', { hasText: String(times) }).waitFor()
  }
  const images = []
  for (const [path, colorScheme] of [['/', 'light'], ['/session', 'dark']] as const) {
    await page.emulateMedia({ colorScheme })
    await page.goto(origin + path)
    images.push(`<img src="data:image/png;base64,${(await page.screenshot()).toString('base64')}">`)
  }
  // Not on the demo's own page, whose policy forbids such images.
  await page.goto('about:blank')
  await page.emulateMedia({ colorScheme: 'light' })
  await page.setViewportSize({ width: 1640, height: 700 })
  await page.setContent(`<style>body { display: flex; gap: 20px; margin: 10px } img { width: 800px; border-radius: 12px }</style>${images.join('')}`)
  await page.screenshot({ path: pathOf('demo.png') })
}

// The page about the session shows the directory, relative to this one.
process.chdir(await makeDirectory(t))
const { origin } = await openDemo(t, { SESSION_FILE_DIR: 'sessions' })
const open = async (options: Parameters<typeof openBrowser>[1]) => (await openBrowser(t, { ...options, colorScheme: 'light' })).newPage()
await takeRace(await open({ viewport: { width: 900, height: 1200 }, deviceScaleFactor: 1.5 }), origin)
await takeShop(await open({ viewport: { width: 1100, height: 935 } }), origin)
for (const end of ends) await end()
await closeChromium()
