import test, { type ExecutionContext } from 'ava'
import { redisStore } from '../../../src/stores/redis/index.js'
import type { SessionRecord } from '../../../src/store/index.js'
import { startProxy } from '../../support/proxy.js'
import { drivers, type Driver } from '../../support/redis-drivers.js'
import { newRecord } from '../../support/new-record.js'
import { keyOf, withKey } from '../../support/redis-records.js'
import { needsRedis, startRedis, until } from '../../support/redis.js'

const redisTest = needsRedis(test)

// Two servers behind one address: what the old master acknowledged last, the new one never got.
for (const driver of drivers) {
  redisTest(`${driver.name}: after a failover, a request that read the old master's revision 2 does not overwrite the new one's`, async (t) => {
    const { store, onNew, record, failOver } = await start(t, driver)
    const read = (await store.update(record.id, append('lost')))!
    t.is((await onNew.update(record.id, append('kept')))?.rev, read.rev)
    await failOver()
    t.is((await store.update(record.id, append('late'), read))?.data['list'], 'first,kept,late')
    t.is((await onNew.read(record.id))?.data['list'], 'first,kept,late')
  })

  redisTest(`${driver.name}: after a failover, a removal answers the new master's last state`, async (t) => {
    const { store, onNew, record, failOver } = await start(t, driver)
    await store.update(record.id, append('lost'))
    await onNew.update(record.id, append('kept'))
    await failOver()
    t.is((await store.destroy(record.id))?.data['list'], 'first,kept')
    t.is(await onNew.read(record.id), undefined)
  })

  redisTest(`${driver.name}: after a failover, a session that the new master never had or has lost does not come back`, async (t) => {
    const { store, onNew, record, failOver } = await start(t, driver)
    const read = (await store.update(record.id, append('lost')))!
    await onNew.destroy(record.id)
    await failOver()
    t.is(await store.update(record.id, append('late'), read), undefined)
    t.is(await onNew.read(record.id), undefined)
  })
}

async function start(t: ExecutionContext, driver: Driver) {
  const [oldMaster, newMaster] = [await startRedis(), await startRedis()]
  t.teardown(oldMaster.stop)
  t.teardown(newMaster.stop)
  const network = await startProxy(t, oldMaster.port)
  const [client, direct] = [await driver.connect(`redis://127.0.0.1:${network.port}`), await driver.connect(newMaster.url)]
  t.teardown(client.close)
  t.teardown(direct.close)
  const [store, onNew] = [redisStore({ client: client.client }), redisStore({ client: direct.client })]
  const record = newRecord({ list: 'first' })
  await store.create(record.id, record)
  // What replication would have done.
  await newMaster.cli('SET', keyOf(record), (await oldMaster.cli('GET', keyOf(record))).trimEnd())
  return {
    store,
    onNew,
    record,
    failOver: async () => {
      network.switchTo(newMaster.port)
      await until('the client has connected again', async () => (await store.read(newRecord().id)) === undefined)
    }
  }
}

function append(text: string): (record: SessionRecord) => SessionRecord {
  return (record) => withKey('list', `${record.data['list'] as string},${text}`)(record)
}
