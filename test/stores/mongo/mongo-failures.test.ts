import test, { type ExecutionContext } from 'ava'
import { freePort, until } from '../../support/redis.js'
import { connectMongo, failNext, needsMongo, startMongo } from '../../support/mongo.js'
import { openScope } from '../../support/mongo-scope.js'
import { counting, setting } from '../../support/recipes.js'
import { startProxy } from '../../support/proxy.js'

// Serial: so the tests share a server. Those that run at once would each start one, which needs a whole core.
const mongoTest = needsMongo(test).serial as typeof test

const failed = { name: 'SessionError', code: 'ERR_SESSION_STORE' }
const mayBeApplied = { ...failed, message: /may have been applied all the same/ }

/** The timeouts of a client that soon gives up. The driver must not look for the server in between: calls would fail for that reason. */
const impatience = { socketTimeoutMS: 3000, serverSelectionTimeoutMS: 3000, connectTimeoutMS: 3000, heartbeatFrequencyMS: 60_000 }

/** A server, and a store whose record exists. */
async function start(t: ExecutionContext) {
  const server = await startMongo(t)
  const client = connectMongo(t, server.url)
  const scope = openScope(client)
  const record = scope.newRecord({ count: 0 })
  await scope.store.create(record.id, record)
  return { server, client, ...scope, record }
}

/** The same, and the store's client soon gives up. */
async function startImpatient(t: ExecutionContext) {
  const { another, ...rest } = await start(t)
  const store = another(connectMongo(t, rest.server.url, impatience))
  await until('the client has connected', async () => (await store.read(rest.record.id)) !== undefined)
  return { ...rest, another, store }
}

mongoTest('while MongoDB is stopped every call fails in time, and works again afterwards', async (t) => {
  const { server, store, newRecord, record } = await startImpatient(t)
  const other = newRecord()
  await server.pause()
  const from = performance.now()
  await Promise.all([
    t.throwsAsync(() => store.read(record.id), failed),
    t.throwsAsync(() => store.create(other.id, other), mayBeApplied),
    t.throwsAsync(() => store.update(record.id, counting, record), mayBeApplied),
    t.throwsAsync(() => store.destroy(other.id), failed)
  ])
  t.true(performance.now() - from < 30_000)
  server.resume()
  await until('MongoDB answers again', async () => (await store.read(record.id)) !== undefined)
  t.true([1, 2].includes((await store.update(record.id, counting))?.data['count'] as number))
})

mongoTest('after kill -9 every acknowledged write is there, and the store works again by itself once MongoDB is back', async (t) => {
  const { server, store, newRecord } = await startImpatient(t)
  const acknowledged: string[] = []
  let isKilled = false
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (!isKilled) {
        const record = newRecord()
        const isCreated = await store.create(record.id, record).catch((error: unknown) => {
          t.like(error, failed)
          return false
        })
        if (isCreated) acknowledged.push(record.id)
        if (acknowledged.length < 100 || isKilled) continue
        isKilled = true
        await server.kill()
      }
    })
  )
  await t.throwsAsync(() => store.read(acknowledged[0]!), failed)
  await server.start()
  await until('MongoDB answers again', async () => (await store.read(acknowledged[0]!)) !== undefined)
  for (const id of acknowledged) t.truthy(await store.read(id))
})

mongoTest('a server that is not there is an error that says so, within the time for server selection', async (t) => {
  const client = connectMongo(t, `mongodb://127.0.0.1:${await freePort()}`, impatience)
  const { store, newRecord } = openScope(client)
  const from = performance.now()
  await t.throwsAsync(() => store.read(newRecord().id), { ...failed, message: /ECONNREFUSED.*cannot reach a primary of MongoDB: check that it runs/ })
  t.true(performance.now() - from < 25_000, "it is the driver's own limit that ends a call after 30 s")
})

mongoTest('when all connections are in use, a call fails with advice, and the next ones succeed', async (t) => {
  const { server, another, record } = await start(t)
  const store = another(connectMongo(t, server.url, { maxPoolSize: 1, waitQueueTimeoutMS: 1000 }))
  await until('the connection is there', async () => (await store.read(record.id)) !== undefined)
  await server.pause()
  const held = store.read(record.id)
  await t.throwsAsync(() => store.read(record.id), { ...failed, message: /all connections of the client are in use: raise maxPoolSize/ })
  server.resume()
  t.deepEqual(await held, record)
  t.deepEqual(await store.read(record.id), record)
})

mongoTest('a closed client is an error that says so', async (t) => {
  const { client, store, record } = await start(t)
  await client.close()
  await t.throwsAsync(() => store.read(record.id), { ...failed, message: /the client was closed/ })
})

mongoTest('a write that too few members confirm fails and says that it may have been applied', async (t) => {
  const { client, store, newRecord, record } = await start(t)
  const unconfirmed = { writeConcernError: { code: 64, errmsg: 'waiting for replication timed out' } }
  const error = { ...failed, message: /waiting for replication timed out: too few members .* may have been applied all the same/ }
  await failNext(client, 'update', unconfirmed)
  await t.throwsAsync(() => store.update(record.id, counting, record), error)
  t.is((await store.read(record.id))?.data['count'], 1)
  t.is((await store.update(record.id, counting, record))?.data['count'], 2)
  const other = newRecord()
  await failNext(client, 'insert', unconfirmed)
  await t.throwsAsync(() => store.create(other.id, other), error)
  t.deepEqual(await store.read(other.id), other)
  await failNext(client, 'delete', unconfirmed)
  await t.throwsAsync(() => store.destroy(other.id), error)
  t.is(await store.read(other.id), undefined)
  t.is(await store.destroy(other.id), undefined)
})

for (const [what, errorCode, message] of [
  ['a server that is no longer the primary', 10107, /there is no primary at the moment: this passes after an election/],
  ['a user without rights', 13, /role readWrite/],
  ['a wrong password', 18, /check the user, the password and authSource/],
  ['a full disk', 14031, /free space/]
] as const) {
  mongoTest(`${what} is an error with advice, and never "no session"`, async (t) => {
    const { client, store, newRecord, record } = await start(t)
    const calls: [command: string, call: () => Promise<unknown>][] = [
      ['find', () => store.read(record.id)],
      ['insert', () => store.create(newRecord().id, newRecord())],
      ['update', () => store.update(record.id, counting, record)],
      ['delete', () => store.destroy(record.id)]
    ]
    for (const [command, call] of calls) {
      // The driver reads a second time.
      await failNext(client, command, { errorCode }, 2)
      await t.throwsAsync(() => call(), { ...failed, message })
      await failNext(client, command, { errorCode }, 0)
    }
    t.deepEqual(await store.read(record.id), record)
  })
}

mongoTest('a connection that breaks before the write arrives leaves the record as it was', async (t) => {
  const { client, store, record } = await start(t)
  await failNext(client, 'update', { closeConnection: true })
  await t.throwsAsync(() => store.update(record.id, counting, record), mayBeApplied)
  t.deepEqual(await store.read(record.id), record)
  t.is((await store.update(record.id, counting, record))?.data['count'], 1)
})

mongoTest('a write whose answer is lost is applied once, and the next save builds on it', async (t) => {
  const { server, store: direct, another, record } = await start(t)
  const proxy = await startProxy(t, server.port)
  const store = another(connectMongo(t, `mongodb://127.0.0.1:${proxy.port}`))
  const seen = await store.read(record.id)
  proxy.loseAnswers()
  const update = store.update(record.id, counting, seen)
  await until('the write was applied', async () => (await direct.read(record.id))?.rev === 2)
  proxy.cut()
  await t.throwsAsync(() => update, mayBeApplied)
  t.is((await store.update(record.id, counting, seen))?.data['count'], 2)
})

mongoTest('a write that arrives late overwrites nothing newer and brings no destroyed session back', async (t) => {
  const { server, store: direct, another, record, newRecord } = await start(t)
  const other = newRecord()
  await direct.create(other.id, other)
  const proxy = await startProxy(t, server.port)
  const store = another(connectMongo(t, `mongodb://127.0.0.1:${proxy.port}`))
  const [seen, seenOther] = [await store.read(record.id), await store.read(other.id)]
  proxy.hold()
  const late = [store.update(record.id, setting('late', 1), seen), store.update(other.id, setting('late', 1), seenOther)]
  await until('the writes are on their way', () => proxy.held > 0)
  const newer = await direct.update(record.id, setting('newer', 1))
  await direct.destroy(other.id)
  proxy.release()
  const [written, gone] = await Promise.all(late)
  t.deepEqual(written?.data, { ...newer?.data, late: 1 })
  t.is(gone, undefined)
  t.is(await direct.read(other.id), undefined)
})

mongoTest('of many creations under one id, through several clients, exactly one succeeds', async (t) => {
  const { server, store, another, newRecord } = await start(t)
  const stores = [store, another(connectMongo(t, server.url)), another(connectMongo(t, server.url))]
  for (let round = 0; round < 20; round++) {
    const records = stores.map(() => newRecord())
    const { id } = records[0]!
    const outcomes = await Promise.all(stores.map((each, at) => each.create(id, { ...records[at]!, id })))
    t.is(outcomes.filter(Boolean).length, 1)
    t.deepEqual(await store.read(id), { ...records[outcomes.indexOf(true)]!, id })
  }
})

mongoTest('an update that finds an expired record which MongoDB has not removed yet writes nothing', async (t) => {
  const { store, advance, record, collection, keyOf } = await start(t)
  advance(3_600_000 + 60_000)
  t.is(await store.update(record.id, counting, record), undefined)
  t.is(await store.read(record.id), undefined)
  t.is((await collection.findOne({ _id: keyOf(record.id) }))?.rev, 1)
})
