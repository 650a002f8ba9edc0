import test from 'ava'
import { redisStore } from '../../src/index.js'
import { closingToo, startServers } from '../support/fleet.js'
import { startMixed } from '../support/redis-fleet.js'
import { newest } from '../support/redis-store.js'
import { needsRedis, startCluster } from '../support/redis.js'
import { races } from './races.js'

const redisTest = needsRedis(test)

let cluster: ReturnType<typeof startCluster> | undefined
const ports = async () => (await (cluster ??= startCluster())).servers.map(({ port }) => port)
redisTest.after.always(async () => (await cluster)?.stop())

for (const driver of newest) {
  races(redisTest, `a cluster of three masters, ${driver.name}, one process`, async () => {
    const { client, close } = await driver.connectCluster(await ports())
    const store = redisStore({ client })
    return closingToo(await startServers([store, store]), close)
  })
}

races(redisTest, 'a cluster of three masters, four processes, two with each driver', async () => startMixed({ ports: await ports() }))
