import test from 'ava'
import type { Page } from 'playwright-core'
import { closeChromium, needsBrowser, openBrowser } from '../support/browser.js'
import { openDemo } from '../support/demo-here.js'
import { login } from './browser-steps.js'

// A browser is heavy: one after the other.
const browserTest = needsBrowser(test).serial
test.after.always(closeChromium)

const phone = { viewport: { width: 360, height: 740 }, javaScriptEnabled: false }
const isInView = async (page: Page, name: string) => {
  const { y, height } = (await page.getByRole('button', { name, exact: true }).boundingBox())!
  return y > 0 && y + height < page.viewportSize()!.height
}

browserTest('the race needs no script: sliders move by keyboard, the button sends the traffic, and the result comes into view', async (t) => {
  const { origin } = await openDemo(t)
  const page = await (await openBrowser(t, phone)).newPage()
  await page.goto(origin)
  await page.getByRole('navigation').getByRole('link').first().click()
  t.is(page.url(), `${origin}/race`)
  await page.getByLabel('Requests at once').focus()
  await page.keyboard.press('End')
  await page.getByLabel('Delay in the handler').focus()
  await page.keyboard.press('Home')
  await page.keyboard.press('ArrowRight')
  await page.getByRole('button', { name: 'Send the traffic' }).click()
  await page.waitForURL(/run=[\w-]+#result$/, { timeout: 120_000 })
  t.deepEqual([await page.getByLabel('Requests at once').inputValue(), await page.getByLabel('Delay in the handler').inputValue()], ['20', '5'])
  const drawing = page.getByRole('img', { name: 'Timeline of 20 requests through koa-keepsake, none of them lost' })
  t.is(await drawing.locator('g rect').count(), 20)
  const { width, height } = (await drawing.boundingBox())!
  t.true(width > 200 && height > 20 * 14)
  const { y } = (await page.getByRole('heading', { name: 'Different keys at once' }).boundingBox())!
  t.true(y > 0 && y < 740)
})

browserTest('after a thing was added, or a piece more or less, the page still shows its button', async (t) => {
  const { origin } = await openDemo(t)
  const page = await (await openBrowser(t, phone)).newPage()
  await page.goto(`${origin}/shop`)
  const press = async (name: string, returnPoint: string, shown = name) => {
    await page.getByRole('button', { name }).click()
    await page.waitForURL(`${origin}/shop#${returnPoint}`)
    t.true(await isInView(page, shown), shown)
  }
  for (const [name, id] of [['Music box', 'music'], ['Pocket watch', 'watch'], ['Music box', 'music']] as const) await press(`Add ${name} to the cart`, id)
  t.true((await page.locator('#music').innerText()).includes('2 in the cart'))
  await press('One Pocket watch more', 'line-watch')
  await press('One Music box less', 'line-music')
  await press('One Music box less', 'cart', 'One Pocket watch less')
})

browserTest('the longest name leaves the header as high as it is for a short one', async (t) => {
  const { origin } = await openDemo(t)
  for (const width of [360, 600, 900, 1200]) {
    const heights = []
    for (const name of ['Al', 'W'.repeat(40)]) {
      const page = await (await openBrowser(t, { viewport: { width, height: 800 } })).newPage()
      await login(page, origin, false, name)
      heights.push((await page.getByRole('banner').boundingBox())!.height)
      await page.context().close()
    }
    t.is(heights[0], heights[1], `${width} pixels`)
  }
})
