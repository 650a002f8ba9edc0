import test from 'ava'
import { startProcesses } from '../support/fleet.js'
import { closingToo, newest, writePlace } from '../support/redis-store.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { races } from './races.js'

const redisTest = needsRedis(test)
const module = new URL('../support/redis-store.ts', import.meta.url)

for (const driver of newest) {
  races(redisTest, `one Redis, ${driver.name}, four processes`, async () => {
    const server = await startRedis()
    return closingToo(await startProcesses(4, module, writePlace(driver, { url: server.url })), server.stop)
  })
}
