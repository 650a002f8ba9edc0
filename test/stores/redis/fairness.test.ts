import { setImmediate, setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { redisStore } from '../../../src/index.js'
import { count, newRecord } from '../../store/new-record.js'
import { newest } from '../../support/redis-store.js'
import { needsRedis, startRedis } from '../../support/redis.js'

for (const driver of newest) {
  needsRedis(test)(`${driver.name}: an update gets its turn while another store of a busy process updates the session without end`, async (t) => {
    const server = await startRedis()
    const clients = [await driver.connect(server.url), await driver.connect(server.url)]
    t.teardown(async () => {
      for (const { close } of clients) close()
      await server.stop()
    })
    const [busy, other] = clients.map(({ client }) => redisStore({ client })) as [ReturnType<typeof redisStore>, ReturnType<typeof redisStore>]
    const record = newRecord({ data: { count: 0 } })
    await busy.create(record.id, record)
    const updates: unknown[] = []
    const flooding = { isOver: false }
    const flood = (async () => {
      while (!flooding.isOver) {
        updates.push(busy.update(record.id, count))
        // Keep the event loop busy, as many requests at once do.
        for (const end = performance.now() + 15; performance.now() < end; );
        await setImmediate()
      }
    })()
    await delay(50)
    for (let round = 1; round <= 5; round++) updates.push(await other.update(record.id, count))
    flooding.isOver = true
    await flood
    await Promise.all(updates)
    t.is((await other.read(record.id))?.data['count'], updates.length)
  })
}
