import test from 'ava'
import { redisStore } from '../../src/index.js'
import { startProcesses, startServers } from '../support/fleet.js'
import { closingToo, connectTo, newest, writePlace } from '../support/redis-store.js'
import { needsRedis, startCluster } from '../support/redis.js'
import { races } from './races.js'

const redisTest = needsRedis(test)
const module = new URL('../support/redis-store.ts', import.meta.url)

let started: ReturnType<typeof startCluster> | undefined
const cluster = () => (started ??= startCluster())
redisTest.after.always(async () => (await started)?.stop())

for (const driver of newest) {
  races(redisTest, `a cluster of three masters, ${driver.name}, one process`, async () => {
    const ports = (await cluster()).servers.map(({ port }) => port)
    const { client, close } = await connectTo(driver, { ports })
    const store = redisStore({ client })
    return closingToo(await startServers([store, store]), close)
  })

  races(redisTest, `a cluster of three masters, ${driver.name}, four processes`, async () => {
    const ports = (await cluster()).servers.map(({ port }) => port)
    return startProcesses(4, module, writePlace(driver, { ports }))
  })
}
