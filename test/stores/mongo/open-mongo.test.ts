import test, { type ExecutionContext } from 'ava'
import type { MongoClient } from 'mongodb'
import { openMongo } from '../../../src/stores/mongo/index.js'
import { connectMongo, needsMongo, startMongo, type MongoServer } from '../../support/mongo.js'
import { openScope } from '../../support/mongo-scope.js'

// Serial: each test has a server of its own, whose start needs a whole core.
const mongoTest = needsMongo(test).serial as typeof test

/** A server that has answered, so that its first answers are not the slow ones that the tests time. */
async function startWarm(t: ExecutionContext): Promise<{ server: MongoServer; watcher: MongoClient }> {
  const server = await startMongo(t)
  const watcher = connectMongo(t, server.url)
  const { store, newRecord } = openScope(watcher, { database: 'warm' })
  const record = newRecord()
  await store.create(record.id, record)
  return { server, watcher }
}

const failed = { name: 'SessionError', code: 'ERR_SESSION_STORE' }

mongoTest('a URL opens a store in its database, and close() closes the connections', async (t) => {
  const { server, watcher } = await startWarm(t)
  const { newRecord } = openScope(watcher)
  const record = newRecord()
  const store = openMongo(`${server.url}/app?appName=mine`, { collectionName: 'logins' })
  t.true(await store.create(record.id, record))
  t.deepEqual(await store.read(record.id), record)
  t.is(await watcher.db('app').collection('logins').countDocuments({}), 1)
  await store.close!()
  await t.throwsAsync(async () => store.read(record.id), { ...failed, message: /the mongo store is closed/ })
})

mongoTest('the database of the options overrides the one of the URL, and a URL object will do', async (t) => {
  const { server, watcher } = await startWarm(t)
  const { newRecord } = openScope(watcher)
  const record = newRecord()
  const store = openMongo(new URL(`${server.url}/app`), { database: 'other' })
  await store.create(record.id, record)
  t.is(await watcher.db('other').collection('sessions').countDocuments({}), 1)
  await store.close!()
})

mongoTest('a server that is stopped costs an error in time, and the timeouts in the URL override those of the store', async (t) => {
  const { server, watcher } = await startWarm(t)
  const stores = [openMongo(`${server.url}/app?retryReads=false`), openMongo(`${server.url}/app?retryReads=false&sockettimeoutms=3500`)] as const
  for (const store of stores) t.teardown(async () => store.close!())
  const { newRecord } = openScope(watcher)
  const record = newRecord()
  t.true(await stores[0].create(record.id, record))
  t.deepEqual(await stores[1].read(record.id), record)
  await server.pause()
  const times = await Promise.all(
    stores.map(async (store) => {
      const from = performance.now()
      await t.throwsAsync(async () => store.read(record.id), { ...failed, message: /the connection to MongoDB was lost or too slow/ })
      return performance.now() - from
    })
  )
  t.true(times[0]! < 3000 && times[1]! > 3000, `${times.join(' and ')} ms`)
  server.resume()
  for (const store of stores) t.deepEqual(await store.read(record.id), record)
})

test('several hosts, a replica set and mongodb+srv: are URLs as well', async (t) => {
  for (const url of ['mongodb://one:27017,two:27018/app?replicaSet=rs0', 'mongodb+srv://cluster.example.test/app', 'MONGODB://[::1]:27017']) {
    const store = openMongo(url)
    await t.notThrowsAsync(async () => store.close!())
  }
})

const refused: [url: string, message: RegExp][] = [
  ['mongodb:', /url must be like mongodb:\/\/localhost:27017\/app/],
  ['mongodb://', /url must be like/],
  ['mongodb:///app', /url must be like/],
  ['http://localhost', /url must be like/],
  ['mongodb://momo:s3cret@host:port/app', /the MongoDB driver refuses the url/],
  ['mongodb://momo:s3cret@host/app?nosuchoption=1', /the MongoDB driver refuses the url: option nosuchoption is not supported/],
  ['mongodb://momo:s3cret@host/app?maxPoolSize=many', /the MongoDB driver refuses the url: Expected maxPoolSize/],
  ['mongodb://mo%mo:s3cret@host/app', /the MongoDB driver refuses the url/],
  ['mongodb://momo:s3@cret@host/app', /the MongoDB driver refuses the url/]
]

for (const [url, message] of refused) {
  test(`${url} is refused without quoting its password`, (t) => {
    const error = t.throws(() => openMongo(url), { instanceOf: TypeError, message })
    for (const secret of ['s3cret', 's3', 'cret', 'mo%mo']) t.false(`${error.message}${String(error.cause)}`.includes(secret))
  })
}

test('an option that names the client is refused: the URL does', (t) => {
  t.throws(() => openMongo('mongodb://localhost', { client: {} } as object), { instanceOf: TypeError, message: /unknown option "client".*known are database, collectionName, writeConcern, createIndexes/ })
  t.throws(() => openMongo('mongodb://localhost', { writeConcern: { w: 0 } }), { instanceOf: TypeError, message: /writeConcern\.w/ })
})
