import test from 'ava'
import { redisStore } from '../../src/stores/redis/index.js'
import type { Cleanup } from '../support/app.js'
import { startMixed } from '../support/redis-fleet.js'
import { connectTo, newest, type Place } from '../support/redis-store.js'
import { needsRedis, startCluster, startRedis, startSentinels } from '../support/redis.js'
import { crashes, type Stage } from './crashes.js'

const redisTest = needsRedis(test)

crashes(redisTest, 'one Redis, four processes that are killed, two with each driver', async (t) => {
  const server = await startRedis()
  t.teardown(server.stop)
  return open(t, { url: server.url })
})

crashes(redisTest, 'a cluster, four processes that are killed, two with each driver', async (t) => {
  const { servers, stop } = await startCluster()
  t.teardown(stop)
  return open(t, { ports: servers.map(({ port }) => port) })
})

crashes(redisTest, 'Redis with Sentinel, four processes that are killed, two with each driver', async (t) => {
  const { sentinels, stop } = await startSentinels()
  t.teardown(stop)
  return open(t, { sentinels })
})

async function open(t: Cleanup, place: Place): Promise<Stage> {
  const { client, close } = await connectTo(newest[0]!, place)
  t.teardown(close)
  return { fleet: await startMixed(place), store: redisStore({ client }) }
}
