import test from 'ava'
import { connectMongo, failNext, needsMongo, startMongo } from '../../support/mongo.js'
import { openScope } from '../../support/mongo-scope.js'
import { until } from '../../support/redis.js'
import { recordWarnings } from '../../support/warnings.js'

// Serial: every test sees the warnings of the process.
const mongoTest = needsMongo(test).serial as typeof test

mongoTest('the first write creates a TTL index and a sparse index on the owner, once in a process', async (t) => {
  const server = await startMongo(t)
  const client = connectMongo(t, server.url, { monitorCommands: true })
  const { store, collection, newRecord } = openScope(client)
  let created = 0
  client.on('commandStarted', ({ commandName }) => void (commandName === 'createIndexes' && created++))
  t.is(await store.read(newRecord().id), undefined)
  t.is(created, 0)
  const records = [newRecord(), newRecord(), newRecord()]
  await Promise.all(records.map((record) => store.create(record.id, record)))
  // The first write waits for them for a second at most.
  await until('the indexes are there', async () => (await collection.indexes()).length === 3)
  t.is(created, 2)
  const indexes = await collection.indexes()
  t.like(indexes.find(({ name }) => name === 'expires_1'), { key: { expires: 1 }, expireAfterSeconds: 0 })
  t.like(indexes.find(({ name }) => name === 'owner_1'), { key: { owner: 1 }, sparse: true })
  await store.update(records[0]!.id, (current) => current)
  t.is(created, 2)
})

mongoTest('createIndexes: false creates none', async (t) => {
  const server = await startMongo(t)
  const { store, collection, newRecord } = openScope(connectMongo(t, server.url), { createIndexes: false })
  const record = newRecord({}, { owner: 'momo' })
  await store.create(record.id, record)
  t.is((await collection.indexes()).length, 1)
})

for (const [reason, errorCode] of [['an index on the same field is in its way', 85], ['the user must not create indexes', 13]] as const) {
  mongoTest(`when MongoDB refuses an index because ${reason}, sessions work and a warning says once what to do`, async (t) => {
    const warnings = recordWarnings(t, /MongoDB refuses to create an index/)
    const server = await startMongo(t)
    const client = connectMongo(t, server.url)
    const { store, collection, newRecord } = openScope(client)
    await failNext(client, 'createIndexes', { errorCode })
    const records = [newRecord({}, { owner: 'momo' }), newRecord({}, { owner: 'momo' })]
    for (const record of records) await store.create(record.id, record)
    await store.update(records[0]!.id, (current) => current)
    await until('the warning was seen', () => warnings.length > 0)
    t.is(warnings.length, 1)
    t.regex(warnings[0]!, /expired sessions stay until you call prune\(\); .*run createIndex\(\{"expires":1\}, \{"expireAfterSeconds":0\}\)/)
    const names = async () => (await collection.indexes()).map(({ name }) => name)
    await until('the other index is there', async () => (await names()).includes('owner_1'))
    t.false((await names()).includes('expires_1'))
    const listed: string[] = []
    for await (const { id } of store.ownedBy!('momo')) listed.push(id)
    t.deepEqual(listed.sort(), records.map(({ id }) => id).sort())
  })
}

mongoTest('when the connection breaks while the indexes are created, the write succeeds without a warning', async (t) => {
  const warnings = recordWarnings(t, /MongoDB refuses to create an index/)
  const server = await startMongo(t)
  const client = connectMongo(t, server.url)
  const { store, newRecord } = openScope(client)
  await failNext(client, 'createIndexes', { closeConnection: true })
  const record = newRecord()
  t.true(await store.create(record.id, record))
  t.deepEqual(await store.read(record.id), record)
  t.deepEqual(warnings, [])
})
