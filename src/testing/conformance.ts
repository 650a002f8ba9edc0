import { corruptCases } from './corrupt.js'
import { deadlineCases } from './deadlines.js'
import { ownerCases } from './owners.js'
import { raceCases } from './races.js'
import { recordCases } from './records.js'
import { onStage, type StoreCapabilities, type StoreFactory } from './stage.js'
import { storeCases } from './stores.js'

/** A test runner's `test`: AVA's, `node:test`'s, vitest's, mocha's `it`. */
export type RunnerTest = (title: string, run: (...context: unknown[]) => Promise<void>) => unknown

/**
 * Registers one test for each promise of the `SessionStore` contract.
 *
 * The suite calls the factory with a prefix, a clock and the size of the largest text, and the factory answers a store, or a promise of
 * one. Ids and prefixes are random, so one backend may serve all tests, at the same time too. When a test ends, the suite closes the
 * stores that the factory made for it. To run the suite on several stores in one file, put a name before the titles.
 *
 * The factory may also answer `{ store, put, get }`: see `StoreWithTexts`.
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
  for (const [title, show] of allCases) {
    // A rest parameter: runners that count parameters would wait for a callback.
    test(title, async (...context) => {
      await onStage(factory, capabilities, show)
      pass(context[0])
    })
  }
}

const allCases = [...recordCases, ...deadlineCases, ...raceCases, ...storeCases, ...ownerCases, ...corruptCases]

/** AVA fails a test that made no assertion through its context. */
function pass(context: unknown): void {
  const { pass: assertion } = (context ?? {}) as { pass?: unknown }
  if (typeof assertion === 'function') assertion('the store keeps this promise')
}
