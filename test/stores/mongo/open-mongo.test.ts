import test, { type ExecutionContext } from 'ava'
import { mongoStore, openMongo } from '../../../src/stores/mongo/index.js'
import { connectMongo, needsMongo, patientUrl, startMongo } from '../../support/mongo.js'
import { openScope } from '../../support/mongo-scope.js'
import { until } from '../../support/redis.js'

// Serial: so the tests share a server. Those that run at once would each start one, which needs a whole core.
const mongoTest = needsMongo(test).serial as typeof test

/** A server and a client that looks into it. */
async function start(t: ExecutionContext) {
  const server = await startMongo(t)
  return { server, watcher: connectMongo(t, server.url) }
}

const failed = { name: 'SessionError', code: 'ERR_SESSION_STORE' }

mongoTest('a URL opens a store in its database, and close() closes the connections', async (t) => {
  const { server, watcher } = await start(t)
  const { newRecord } = openScope(watcher)
  const record = newRecord()
  const store = openMongo(patientUrl(`${server.url}/app?appName=mine`), { collectionName: 'logins' })
  t.true(await store.create(record.id, record))
  t.deepEqual(await store.read(record.id), record)
  t.is(await watcher.db('app').collection('logins').countDocuments({}), 1)
  await store.close!()
  await t.throwsAsync(async () => store.read(record.id), { ...failed, message: /the mongo store is closed/ })
})

mongoTest('the database of the options overrides the one of the URL, and a URL object will do', async (t) => {
  const { server, watcher } = await start(t)
  const { newRecord } = openScope(watcher)
  const record = newRecord()
  const store = openMongo(new URL(patientUrl(`${server.url}/app`)), { database: 'other' })
  await store.create(record.id, record)
  t.is(await watcher.db('other').collection('sessions').countDocuments({}), 1)
  await store.close!()
})

mongoTest('a server that is stopped costs an error in time, and the timeouts in the URL override those of the store', async (t) => {
  const { server, watcher } = await start(t)
  // The driver looks for the server in between, and would end the second call too.
  const rare = 'retryReads=false&heartbeatFrequencyMS=60000'
  const stores = [openMongo(`${server.url}/app?${rare}`), openMongo(`${server.url}/app?${rare}&sockettimeoutms=8000`)] as const
  for (const store of stores) t.teardown(async () => store.close!())
  const { newRecord } = openScope(watcher)
  const record = newRecord()
  await mongoStore({ client: watcher, database: 'app' }).create(record.id, record)
  const work = () => until('both stores have connected', async () => (await Promise.all(stores.map(async (store) => store.read(record.id)))).every(Boolean))
  await work()
  await server.pause()
  const times = await Promise.all(
    stores.map(async (store) => {
      const from = performance.now()
      await t.throwsAsync(async () => store.read(record.id), { ...failed, message: /the connection to MongoDB was lost or too slow/ })
      return performance.now() - from
    })
  )
  t.true(times[0]! < 7000 && times[1]! > 7000, `${times.join(' and ')} ms`)
  server.resume()
  await t.notThrowsAsync(work)
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
