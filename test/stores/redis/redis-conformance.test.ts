import test from 'ava'
import { redisStore } from '../../../src/stores/redis/index.js'
import { storeConformance } from '../../../src/testing/index.js'
import { drivers, type Connected } from '../../support/redis-drivers.js'
import { textsOf } from '../../support/redis-texts.js'
import { needsRedis, startRedis, type RedisServer } from '../../support/redis.js'

const redisTest = needsRedis(test)

let server: RedisServer
const clients = new Map<string, Connected>()

redisTest.before(async () => {
  server = await startRedis()
  for (const { name, connect } of drivers) clients.set(name, await connect(server.url))
})
redisTest.after.always(async () => {
  for (const { close } of clients.values()) close()
  await server.stop()
})

for (const { name } of drivers) {
  storeConformance(
    (title, run) => redisTest(`one server, ${name}: ${title}`, run),
    (scope) => {
      const { client } = clients.get(name)!
      return { store: redisStore({ client }).scope!(scope), ...textsOf(client, scope) }
    },
    { parallel: 200 }
  )
}
