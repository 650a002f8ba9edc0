import test from 'ava'
import { races } from '../../races/races.js'
import { startServers } from '../../support/fleet.js'
import { oneByOne, packages } from '../../support/foreign-stores.js'

for (const { name, needs, start } of packages) {
  races(oneByOne(needs(test)), `${name}, one process`, async () => {
    const teardowns: (() => unknown)[] = []
    const store = await start({ teardown: (run) => void teardowns.unshift(run) })
    const fleet = await startServers([store.adapt()])
    return {
      ...fleet,
      async close() {
        await fleet.close()
        for (const teardown of teardowns) await teardown()
      }
    }
  })
}
