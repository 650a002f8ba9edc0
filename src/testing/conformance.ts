import { corruptCases } from './corrupt.js'
import { deadlineCases } from './deadlines.js'
import { ownerCases } from './owners.js'
import { raceCases } from './races.js'
import { recordCases } from './records.js'
import { withFixture, type StoreCapabilities, type StoreFactory } from './fixture.js'
import { storeCases } from './stores.js'

/** A test runner's `test`: AVA's, `node:test`'s, vitest's, mocha's `it`. */
export type RunnerTest = (title: string, run: (...context: unknown[]) => Promise<void>) => unknown

/**
 * Registers one test for each promise of the `SessionStore` contract.
 *
 * The suite calls the factory with a prefix, a clock and the size of the largest text, and the factory returns a store, or a promise of
 * one. Ids and prefixes are random, so all tests may use one backend, at the same time too. When a test ends, the suite closes the
 * stores that the factory made for it. To run the suite on several stores in one file, put a name before the titles.
 *
 * The factory may also return `{ store, put, get }`: see `StoreWithTexts`.
 *
 * @example
 * ```ts
 * import test from 'node:test'
 * import { storeConformance } from 'koa-keepsake/testing'
 *
 * storeConformance((title, run) => test(`my store: ${title}`, run), (scope) => myStore({ client }).scope(scope))
 * ```
 */
export function storeConformance(test: RunnerTest, factory: StoreFactory, capabilities: StoreCapabilities = {}): void {
  for (const [title, run] of allCases) {
    // A rest parameter, because some runners count parameters and would wait for a callback.
    test(title, async (...context) => {
      await withFixture(factory, capabilities, run)
      assertInAva(context[0])
    })
  }
}

const allCases = [...recordCases, ...deadlineCases, ...raceCases, ...storeCases, ...ownerCases, ...corruptCases]

/** Makes an assertion through AVA's context: AVA fails a test without one. Other runners have no such context. */
function assertInAva(context: unknown): void {
  const { pass: assertion } = (context ?? {}) as { pass?: unknown }
  if (typeof assertion === 'function') assertion('the store keeps this promise')
}
