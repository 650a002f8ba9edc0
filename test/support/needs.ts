import type { ExecutionContext, TestFn } from 'ava'

type Skippable = TestFn | ((title: string, run: (t: ExecutionContext) => void) => void)

/** Files print their line once, however often they ask. */
const said = new Set<string>()

/**
 * AVA's `test` if what the tests need is there. Otherwise one that skips every test and prints what to install; with `CI=true`, a missing
 * server is a failure.
 *
 * @param what names the tests: `Redis`.
 * @param advice says what is missing and how to install it.
 */
export function needs(test: TestFn, isThere: boolean, what: string, advice: string): TestFn {
  if (isThere) return test
  if (!said.has(advice)) {
    said.add(advice)
    const only: Skippable = process.env['CI'] === 'true' ? test : test.skip
    only(advice, (t) => t.fail(advice))
    if (only !== test) console.log(`${what} tests are skipped: ${advice}`)
  }
  const hooks = { before: nothing, after: { always: nothing } }
  return Object.assign(() => undefined, { serial: Object.assign(() => undefined, hooks), ...hooks }) as unknown as TestFn
}

function nothing(): void {}
