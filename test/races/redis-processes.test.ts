import test from 'ava'
import { closingToo } from '../support/fleet.js'
import { startMixed } from '../support/redis-fleet.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { races } from './races.js'

races(needsRedis(test), 'one Redis, four processes, two with each driver', async () => {
  const server = await startRedis()
  return closingToo(await startMixed({ url: server.url }), server.stop)
})
