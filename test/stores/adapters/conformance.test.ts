import test from 'ava'
import { storeConformance } from '../../../src/testing/index.js'
import { oneByOne, packages, type ForeignStore } from '../../support/foreign-stores.js'

for (const { name, needs, start } of packages) {
  const packageTest = oneByOne(needs(test))
  const teardowns: (() => unknown)[] = []
  let store: ForeignStore

  packageTest.before(async () => {
    store = await start({ teardown: (run) => void teardowns.unshift(run) })
  })
  packageTest.after.always(async () => {
    for (const teardown of teardowns) await teardown()
  })

  storeConformance(
    (title, run) => packageTest(`${name}: ${title}`, run),
    (scope) => {
      // The adapter makes a key of the prefix by percent-encoding, which changes nothing in this one.
      const keyOf = (id: string) => scope.prefix + id
      return {
        store: store.adapt().scope!(scope),
        put: async (id, record) => void (await store.set(keyOf(id), { record })),
        get: async (id) => ((await store.get(keyOf(id))) as { record: string }).record
      }
    }
  )
}
