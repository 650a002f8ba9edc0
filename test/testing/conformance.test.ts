import nodeTest from 'node:test'
import test from 'ava'
import type { SessionStore } from '../../src/store/index.js'
import { memoryStore } from '../../src/stores/memory/index.js'
import { storeConformance, type RunnerTest } from '../../src/testing/conformance.js'
import type { StoreCapabilities, StoreFactory } from '../../src/testing/fixture.js'
import { faults } from './faults/index.js'

/** The cases of the suite, by title, as they were registered. */
function casesOf(factory: StoreFactory, capabilities?: StoreCapabilities): Map<string, () => Promise<void>> {
  const cases = new Map<string, () => Promise<void>>()
  storeConformance((title, run) => cases.set(title, run), factory, capabilities)
  return cases
}

test('the suite registers under the titles that a runner is given, with functions that take no callback', (t) => {
  const registered: [string, number][] = []
  const collect: RunnerTest = (title, run) => void registered.push([title, run.length])
  storeConformance(collect, () => memoryStore())
  t.true(registered.length >= 50)
  t.is(new Set(registered.map(([title]) => title)).size, registered.length)
  t.true(registered.every(([, length]) => length === 0))
  // Compiles: node:test's own test is such a runner.
  t.is(typeof (nodeTest satisfies RunnerTest), 'function')
})

test('a factory may answer a store or its texts with it, at once or as a promise', async (t) => {
  for (const factory of [
    (scope) => memoryStore().scope!(scope),
    (scope) => ({ store: memoryStore().scope!(scope) }),
    async (scope) => memoryStore().scope!(scope),
    async (scope) => ({ store: memoryStore().scope!(scope) })
  ] as StoreFactory[]) {
    for (const run of [...casesOf(factory, { shared: false }).values()].slice(0, 3)) await t.notThrowsAsync(run())
  }
})

test('every store that a case opened is closed, also when the case fails', async (t) => {
  let opened = 0
  let closed = 0
  const close: SessionStore['close'] = async () => void closed++
  const factory: StoreFactory = (scope) => {
    opened++
    return { ...memoryStore().scope!(scope), close }
  }
  let failed = 0
  for (const run of casesOf(factory, { parallel: 5 }).values()) await run().catch(() => failed++)
  t.true(failed > 0 && opened > 50, `${failed} of ${opened}`)
  t.true(closed >= opened)
})

for (const [words, fault, make] of faults) {
  test(`the suite finds a store with a fault: ${fault}`, async (t) => {
    const found = [...casesOf(make, { shared: false, parallel: 10 })].filter(([title]) => title.includes(words))
    t.is(found.length, 1, words)
    const [[title, run]] = found as [[string, () => Promise<void>]]
    await t.throwsAsync(run(), undefined, title)
  })
}
