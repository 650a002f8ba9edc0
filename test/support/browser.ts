import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import type { TestFn } from 'ava'
import { chromium, type Browser, type BrowserContext, type BrowserContextOptions } from 'playwright-core'
import type { Cleanup } from './app.js'
import { needs } from './needs.js'

const path = ['/usr/bin/chromium', spawnSync('which', ['chromium'], { encoding: 'utf8' }).stdout?.trim()].find((each) => each && existsSync(each))

/** AVA's `test`, or one that skips everything where Chromium is missing (needs.ts). */
export function needsBrowser(test: TestFn): TestFn {
  return needs(test, path !== undefined, 'Browser', 'chromium is missing: apt-get install chromium')
}

let started: Promise<Browser> | undefined

/** A browser with an empty profile, closed after the test: a context of the one headless Chromium of this test file. */
export async function openBrowser(t: Cleanup, options: BrowserContextOptions = {}): Promise<BrowserContext> {
  const context = await (await (started ??= startChromium())).newContext(options)
  t.teardown(() => context.close())
  return context
}

/** For `test.after.always`. */
export async function closeChromium(): Promise<void> {
  await (await started)?.close()
}

/** Starts Chromium with options that keep it from sending requests of its own. */
function startChromium(): Promise<Browser> {
  const quiet = ['--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync', '--disable-quic']
  return chromium.launch({ executablePath: path!, args: ['--no-sandbox', '--disable-gpu', ...quiet] })
}
