import test from 'ava'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileStore, memoryStore, redisStore } from '../../src/index.js'
import { startProcesses, startServers } from '../support/fleet.js'
import { closingToo, newest } from '../support/redis-store.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { races } from './races.js'

// Sealing is done before a store sees a record, so these stores stand for all: one without promises, one with files, and one with a server.
// Two store objects on one backend meet each other's writes, and so each recipe has to open the newest record and seal it again.

races(test, 'sealed, memory', () => {
  const store = memoryStore()
  return startServers([store, store], { seal: true })
})

const dir = mkdtempSync(join(tmpdir(), 'keepsake-races-'))
races(test, 'sealed, files, one process', () => startServers([fileStore({ dir }), fileStore({ dir })], { seal: true }))
races(test, 'sealed, files, four processes', () => startProcesses(4, new URL('../support/file-store.ts', import.meta.url), dir, { seal: true }))
test.after.always(() => rmSync(dir, { recursive: true, force: true }))

for (const driver of newest.slice(0, 1)) {
  races(needsRedis(test), `sealed, one Redis, ${driver.name}`, async () => {
    const server = await startRedis()
    const clients = [await driver.connect(server.url), await driver.connect(server.url)]
    const stores = clients.map(({ client }) => redisStore({ client }))
    return closingToo(await startServers(stores, { seal: true }), ...clients.map(({ close }) => close), server.stop)
  })
}
