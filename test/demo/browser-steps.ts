import type { Page } from 'playwright-core'
import { password } from '../support/demo.js'

/** Logs somebody in through the form. */
export async function login(page: Page, origin: string, remember = false, name = 'Momo'): Promise<void> {
  await page.goto(`${origin}/login`)
  await page.getByLabel('Name').fill(name)
  await page.getByLabel('Password').fill(password)
  if (remember) await page.getByRole('checkbox', { name: /Remember me/ }).check()
  await page.getByRole('main').getByRole('button', { name: 'Log in' }).click()
  await page.waitForURL(`${origin}/`)
}
