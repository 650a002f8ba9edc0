import { join } from 'node:path'
import test, { type ExecutionContext } from 'ava'
import type { BrowserContext, Page } from 'playwright-core'
import { closeChromium, needsBrowser, openBrowser } from '../support/browser.js'
import { openDemo } from '../support/demo-here.js'
import { makeDirectory, startDemo } from '../support/demo.js'
import { createGate } from '../support/gate.js'
import { freePort } from '../support/redis.js'
import { login } from './browser-steps.js'

// A browser is heavy: one after the other.
const browserTest = needsBrowser(test).serial
test.after.always(closeChromium)

const greeting = (page: Page) => page.getByRole('heading', { level: 1 }).innerText()
const isLoggedIn = async (page: Page) => (await page.getByRole('banner').getByRole('button', { name: 'Log out' }).count()) === 1
const devicesOn = (page: Page) => page.getByRole('list', { name: 'Your sessions' }).getByRole('listitem')
const counted = (page: Page) => page.locator('#count').innerText()
const sessionCookie = async (context: BrowserContext) => (await context.cookies()).find(({ name }) => name === 'session')

const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1'

/** The demo inside the test's own process, slow where the gate says so. */
async function openHere(t: ExecutionContext) {
  const gate = createGate()
  const { origin } = await openDemo(t, {}, () => gate.pass())
  return { origin, gate }
}

browserTest('log in, count, restart the server: still logged in', async (t) => {
  const dir = join(await makeDirectory(t), 'sessions')
  const env = { SESSION_FILE_DIR: dir, PORT: String(await freePort()) }
  const first = await startDemo(t, env)
  const page = await (await openBrowser(t)).newPage()
  await login(page, first.origin)
  t.is(await greeting(page), 'Good to see you, Momo.')
  for (const times of ['1', '2']) {
    await page.getByRole('button', { name: 'Count', exact: true }).click()
    await page.waitForFunction(`document.querySelector('#count').textContent === '${times}'`)
  }
  t.is((await first.stop()).code, 0)

  const second = await startDemo(t, env)
  await page.goto(second.origin)
  t.true(await isLoggedIn(page))
  t.is(await counted(page), '2')
})

browserTest('remember me: the cookie has an expiry, scripts cannot read it, and the browser may be closed', async (t) => {
  const { origin } = await openHere(t)
  const context = await openBrowser(t)
  const page = await context.newPage()
  await login(page, origin)
  t.is((await sessionCookie(context))?.expires, -1)
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.waitForURL(`${origin}/?goodbye`)
  t.is(await sessionCookie(context), undefined)

  await login(page, origin, true)
  const cookie = await sessionCookie(context)
  t.like(cookie, { httpOnly: true, sameSite: 'Lax', path: '/', secure: false })
  const days = (cookie!.expires * 1000 - Date.now()) / (24 * 3_600_000)
  t.true(days > 30.9 && days < 31.1)
  t.is(await page.evaluate('document.cookie'), '')

  // What a browser has on its disk when it is started again: the cookies with an expiry.
  const kept = (await context.cookies()).filter(({ expires }) => expires !== -1)
  const restarted = await openBrowser(t)
  await restarted.addCookies(kept)
  const again = await restarted.newPage()
  await again.goto(origin)
  t.true(await isLoggedIn(again))
})

browserTest('log out in one tab while another tab submits slowly: logged out in both', async (t) => {
  const { origin, gate } = await openHere(t)
  const context = await openBrowser(t)
  const [slow, other] = [await context.newPage(), await context.newPage()]
  await login(slow, origin)
  await other.goto(origin)
  t.true(await isLoggedIn(other))

  const answered = slow.waitForResponse(`${origin}/count`)
  await slow.getByRole('button', { name: 'Count slowly' }).click({ noWaitAfter: true })
  await gate.reached()
  await other.getByRole('button', { name: 'Log out' }).click()
  await other.waitForURL(`${origin}/?goodbye`)
  gate.open()
  t.is((await (await answered).allHeaders())['set-cookie'], undefined)
  await slow.getByText('You have no session yet').waitFor()

  for (const tab of [slow, other]) {
    await tab.goto(origin)
    t.false(await isLoggedIn(tab))
    await tab.goto(`${origin}/session`)
    t.is(await tab.getByRole('heading', { level: 2 }).first().innerText(), 'There is none')
  }
  t.is(await sessionCookie(context), undefined)
})

browserTest('after a logout the back button shows nothing of the session', async (t) => {
  const { origin } = await openHere(t)
  const page = await (await openBrowser(t)).newPage()
  await login(page, origin)
  await page.getByRole('button', { name: 'Log out' }).click()
  await page.waitForURL(`${origin}/?goodbye`)
  await page.goBack()
  t.false(await isLoggedIn(page))
})

browserTest('a cookie stolen before the login is worth nothing after it', async (t) => {
  const { origin } = await openHere(t)
  const [victim, thief] = [await openBrowser(t), await openBrowser(t)]
  const [page, theirs] = [await victim.newPage(), await thief.newPage()]
  await page.goto(`${origin}/login`)
  const stolen = await sessionCookie(victim)
  await thief.addCookies([stolen!])
  await login(page, origin)
  t.not((await sessionCookie(victim))!.value, stolen!.value)

  await theirs.goto(origin)
  t.false(await isLoggedIn(theirs))
  await page.reload()
  t.true(await isLoggedIn(page))
})

browserTest('two browsers at once: each sees both, one logs the other out, and then logs out everywhere else', async (t) => {
  const { origin } = await openHere(t)
  const phone = await (await openBrowser(t, { userAgent: iphone, viewport: { width: 390, height: 800 }, javaScriptEnabled: false })).newPage()
  const desk = await (await openBrowser(t, { javaScriptEnabled: false })).newPage()
  await Promise.all([login(phone, origin), login(desk, origin)])
  await Promise.all([phone, desk].map((page) => page.getByRole('navigation').getByRole('link', { name: 'Devices' }).click()))
  await Promise.all([phone, desk].map((page) => page.reload()))
  for (const page of [phone, desk]) t.is(await devicesOn(page).count(), 2)
  t.regex(await devicesOn(phone).first().innerText(), /^Safari on iOS\s+This one/)
  t.regex(await devicesOn(desk).first().innerText(), /^Chrome on Linux\s+This one/)

  await devicesOn(desk).filter({ hasText: 'Safari on iOS' }).getByRole('button', { name: 'Log out' }).click()
  await desk.getByText('Safari on iOS is logged out.').waitFor()
  t.is(await devicesOn(desk).count(), 1)
  await phone.reload()
  t.is(phone.url(), `${origin}/login`)

  await login(phone, origin)
  await desk.reload()
  await desk.getByRole('button', { name: 'Log out everywhere else' }).click()
  await desk.getByText('You are logged out everywhere else: 1 session ended.').waitFor()
  await phone.reload()
  t.false(await isLoggedIn(phone))
  t.true(await isLoggedIn(desk))

  const admin = await (await openBrowser(t)).newPage()
  await login(admin, origin, false, 'admin')
  await admin.goto(`${origin}/devices`)
  const everybody = admin.getByRole('list', { name: 'The sessions of everybody' }).getByRole('listitem')
  await everybody.filter({ hasText: 'Momo' }).getByRole('button').click()
  await admin.getByText('Chrome on Linux is logged out.').waitFor()
  t.is(await everybody.filter({ hasText: 'Momo' }).count(), 0)
  await desk.reload()
  t.is(desk.url(), `${origin}/login`)
})

browserTest('the theme that was chosen holds against that of the system', async (t) => {
  const { origin } = await openHere(t)
  const page = await (await openBrowser(t, { colorScheme: 'light' })).newPage()
  await page.goto(`${origin}/preferences`)
  await page.getByRole('radio', { name: 'Dark' }).check()
  await page.getByLabel('Language').selectOption('de')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.getByText('Your preferences are kept.').waitFor()
  // With its style sheet.
  await page.waitForLoadState()
  t.is(await page.evaluate('getComputedStyle(document.body).backgroundColor'), 'rgb(22, 19, 17)')
  await login(page, origin)
  t.is(await greeting(page), 'Schön, dass du da bist, Momo.')
})
