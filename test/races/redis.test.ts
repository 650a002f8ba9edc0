import test from 'ava'
import { redisStore } from '../../src/index.js'
import { closingToo, startServers } from '../support/fleet.js'
import { newest } from '../support/redis-store.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { races } from './races.js'

const redisTest = needsRedis(test)

for (const driver of newest) {
  races(redisTest, `one Redis, ${driver.name}, one process`, async () => {
    const server = await startRedis()
    const clients = [await driver.connect(server.url), await driver.connect(server.url)]
    const stores = clients.map(({ client }) => redisStore({ client }))
    return closingToo(await startServers([stores[0]!, stores[0]!, stores[1]!]), ...clients.map(({ close }) => close), server.stop)
  })
}
