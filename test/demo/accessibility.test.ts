import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import test from 'ava'
import type { AxeResults } from 'axe-core'
import type { Page } from 'playwright-core'
import { closeChromium, needsBrowser, openBrowser } from '../support/browser.js'
import { openDemo } from '../support/demo-here.js'
import { login } from './browser-steps.js'

// A browser is heavy: one after the other.
const browserTest = needsBrowser(test).serial
test.after.always(closeChromium)

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

/** The smallest text that may be on a page, and the smallest side of what is pressed with a finger, in CSS pixels. */
const [smallestText, smallestTarget] = [13, 44]

// These run in the page.
const smallText = `Array.from(document.querySelectorAll('body *'))
  .filter((element) => Array.from(element.childNodes).some((node) => node.nodeType === 3 && node.textContent.trim() !== ''))
  .filter((element) => element.getClientRects().length > 0 && parseFloat(getComputedStyle(element).fontSize) < ${smallestText})
  .map((element) => getComputedStyle(element).fontSize + ': ' + element.outerHTML.slice(0, 100))`

// A box is pressed with its label. A link in a sentence is as high as its line.
const smallTargets = `Array.from(document.querySelectorAll('a, button, input:not([type=hidden]), select'))
  .filter((element) => !element.matches('.skip, main :is(p, li) > a:not(.button)'))
  .map((element) => element.closest('label') ?? element)
  .map((element) => [element.getBoundingClientRect(), element])
  .filter(([{ width, height }]) => width < ${smallestTarget} || height < ${smallestTarget})
  .map(([{ width, height }, element]) => width + ' x ' + height + ': ' + element.outerHTML.slice(0, 100))`

/** Every page with everything on it: first as a visitor, then logged in, with a long name. */
async function* pagesOf(page: Page, origin: string): AsyncGenerator<string> {
  const at = async (path: string) => {
    await page.goto(origin + path)
    return path
  }
  for (const path of ['/', '/session', '/login', '/race', '/nowhere']) yield await at(path)
  await page.goto(`${origin}/login`)
  await page.getByLabel('Name').fill('Momo')
  await page.getByLabel('Password').fill('guess')
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.getByText('That is not the password.').waitFor()
  await page.waitForLoadState()
  yield 'a refused login'
  await page.goto(`${origin}/race`)
  await page.getByRole('button', { name: 'Send the traffic' }).click()
  await page.waitForURL(/run=/, { timeout: 120_000 })
  yield 'a race'
  await login(page, origin, true, 'W'.repeat(40))
  yield 'messages after the login'
  await page.goto(`${origin}/shop`)
  await page.getByRole('button', { name: 'Add Sea shell to the cart' }).click()
  await page.waitForURL(/#shell$/)
  for (const path of ['/', '/shop', '/preferences', '/session', '/devices', '/race']) yield await at(path)
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.waitForURL(`${origin}/?goodbye`)
  yield 'goodbye'
}

const themes = [['light', 'rgb(250, 246, 239)'], ['dark', 'rgb(22, 19, 17)']] as const

for (const width of [360, 1200]) {
  browserTest(`every page passes axe and fits, ${width} pixels wide, in the light and in the dark`, async (t) => {
    t.timeout(230_000)
    const { origin } = await openDemo(t)
    const page = await (await openBrowser(t, { viewport: { width, height: 800 }, reducedMotion: 'reduce' })).newPage()
    const said: string[] = []
    page.on('console', (message) => message.type() === 'error' && said.push(message.text()))
    page.on('pageerror', (error) => said.push(error.message))
    let count = 0
    for await (const name of pagesOf(page, origin)) {
      count++
      for (const [colorScheme, background] of themes) {
        await page.emulateMedia({ colorScheme })
        t.is(await page.evaluate('getComputedStyle(document.body).backgroundColor'), background)
        t.deepEqual(await violationsOf(page), [], `${name}, axe, ${colorScheme}`)
        t.true(await page.evaluate<boolean>('document.documentElement.scrollWidth <= innerWidth'), `${name} is wider than the window`)
        t.deepEqual(await page.evaluate<string[]>(smallText), [], `${name}, small text`)
        if (width === 360) t.deepEqual(await page.evaluate<string[]>(smallTargets), [], `${name}, small targets`)
      }
    }
    t.is(count, 15)
    // The browser says which pages were not there or refused.
    t.deepEqual(said.filter((each) => !/status of 40[14]/.test(each)), [])
  })
}

async function violationsOf(page: Page): Promise<string[]> {
  await page.evaluate(axe)
  const { violations } = await page.evaluate<AxeResults>('axe.run(document, { resultTypes: ["violations"] })')
  return violations.flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html}\n${failureSummary}`))
}
