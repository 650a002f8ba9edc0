import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { redisStore } from '../../../src/stores/redis/index.js'
import { storeConformance } from '../../../src/testing/index.js'
import { races } from '../../races/races.js'
import { Client } from '../../support/client.js'
import { startServers, type Fleet } from '../../support/fleet.js'
import { drivers, type Connected } from '../../support/redis-drivers.js'
import { newest } from '../../support/redis-store.js'
import { textsOf } from '../../support/redis-texts.js'
import { masterName, needsRedis, startSentinels, until } from '../../support/redis.js'

const redisTest = needsRedis(test)
const withSentinel = drivers.filter(({ connectSentinel }) => connectSentinel)

let redis: Awaited<ReturnType<typeof startSentinels>>
const clients = new Map<string, Connected>()
const fleets = new Map<string, Fleet>()

redisTest.serial.before(async () => {
  redis = await startSentinels()
  for (const driver of withSentinel) {
    const connected = await driver.connectSentinel!(redis.sentinels)
    clients.set(driver.name, connected)
    // A logout is only answered when the replica has it, too.
    const store = redisStore({ client: connected.client, waitReplicas: 1 })
    fleets.set(driver.name, await startServers([store, store]))
  }
})
redisTest.after.always(async () => {
  for (const fleet of fleets.values()) await fleet.close()
  for (const { close } of clients.values()) close()
  await redis?.stop()
})

// Serial tests come first: everything after this one runs on clients that have lived through a failover.
redisTest.serial('a failover in the midst of requests: each is answered, what is there is whole, and who logged out stays so', async (t) => {
  const apps = await Promise.all(
    withSentinel.map(async ({ name }) => {
      const origin = fleets.get(name)!.origins[0]!
      const [user, leaver] = [new Client(origin), new Client(origin)]
      await user.get('/set?key=user&value=momo')
      await leaver.get('/set?key=user&value=lin')
      const thief = leaver.copy()
      t.is((await leaver.get('/logout')).status, 204)
      return { name, user, thief, done: 0, failed: 0, since: 0 }
    })
  )
  const replicated = async () => {
    const [master, replica] = await Promise.all([redis.master, redis.replica].map(({ cli }) => cli('INFO', 'replication')))
    return /master_repl_offset:(\d+)/.exec(master!)![1] === /slave_repl_offset:(\d+)/.exec(replica!)![1]
  }
  await until('the replica has everything', replicated)

  const stop = new AbortController()
  const writing = apps.map(async (app) => {
    while (!stop.signal.aborted) {
      const { status } = await app.user.get('/change')
      if (status === 204) app.done++
      else app.failed++
      t.true(status === 204 || status === 503, `${app.name}: ${status}`)
      await delay(5)
    }
  })
  await until('there are writes in progress', () => apps.every(({ done }) => done > 20))
  await redis.master.kill()
  await until('the replica is the master', async () => (await redis.replica.cli('ROLE')).startsWith('master'))
  for (const app of apps) app.since = app.done
  await until('everybody writes to the new master', () => apps.every(({ done, since }) => done > since + 20))
  stop.abort()
  await Promise.all(writing)

  for (const { name, user, thief, done, failed, since } of apps) {
    const data = (await user.get('/get')).json as { user: string; count: number }
    t.log(`${name}: ${done} acknowledged, ${failed} refused, ${data.count} counted`)
    t.is(data.user, 'momo', name)
    // What only the old master had acknowledged may be lost, as Redis says; nothing may be counted twice.
    t.true(data.count <= done + failed, `${name}: ${data.count} of ${done} acknowledged and ${failed} refused`)
    t.true(data.count >= done - since, `${name}: ${data.count} of ${done - since} acknowledged by the new master`)
    t.deepEqual((await thief.get('/get')).json, {}, name)
  }

  await redis.master.start()
  await until('the old master follows the new one', async () => (await redis.replica.cli('INFO', 'replication')).includes('connected_slaves:1'))
  await until('Sentinel knows it', async () => (await redis.sentinel.cli('SENTINEL', 'REPLICAS', masterName)).includes(String(redis.master.port)))
})

for (const { name } of withSentinel) {
  storeConformance(
    (title, run) => redisTest(`after a failover, ${name}: ${title}`, run),
    (scope) => {
      const { client } = clients.get(name)!
      return { store: redisStore({ client }).scope!(scope), ...textsOf(client, scope) }
    },
    { parallel: 50 }
  )
}

for (const { name } of newest) races(redisTest, `after a failover, ${name}`, async () => fleets.get(name)!)
