import test from 'ava'
import { races } from '../../races/races.js'
import { closingToo, startServers } from '../../support/fleet.js'
import { oneByOne, packages } from '../../support/foreign-stores.js'

for (const { name, needs, start } of packages) {
  races(oneByOne(needs(test)), `${name}, one process`, async () => {
    const teardowns: (() => unknown)[] = []
    const store = await start({ teardown: (run) => void teardowns.unshift(run) })
    return closingToo(await startServers([store.adapt()]), ...teardowns)
  })
}
