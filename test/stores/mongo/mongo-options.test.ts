import test from 'ava'
import { MongoClient } from 'mongodb'
import { mongoStore, type MongoStoreOptions } from '../../../src/stores/mongo/index.js'
import { connectMongo, needsMongo, startMongo } from '../../support/mongo.js'
import { openScope } from '../../support/mongo-scope.js'

const client = new MongoClient('mongodb://127.0.0.1:1/app')
const db = client.db()
const collection = db.collection('sessions')

const refused: [options: unknown, message: RegExp][] = [
  [undefined, /expected an object of options, got undefined/],
  [client, /expected an object of options: write mongoStore\(\{ client \}\)/],
  [db, /expected an object of options: write mongoStore/],
  [collection, /expected an object of options: write mongoStore/],
  [{}, /give one of client, db and collection/],
  [{ client, db }, /give one of client, db and collection/],
  [{ client, collection }, /give one of client, db and collection/],
  [{ Client: client }, /unknown option "Client".*known are client, db, collection, database, collectionName, writeConcern, createIndexes/],
  [{ client: 'mongodb://user:secret@host' }, /client must be a MongoClient of the package mongodb \(for a URL, use storeFromUrl\('mongodb:\/\/…'\)\), got a string/],
  [{ client: Promise.resolve(client) }, /await the promise first/],
  [{ client: collection }, /this is another of client, db and collection/],
  [{ client: { connection: {} } }, /with Mongoose: client: mongoose\.connection\.getClient\(\)/],
  [{ db: { getClient() {} } }, /with Mongoose/],
  [{ collection: {} }, /collection must be a collection of the package mongodb, got an object/],
  [{ db, database: 'app' }, /database cannot be with db/],
  [{ collection, database: 'app' }, /database cannot be with collection/],
  [{ collection, collectionName: 'sessions' }, /collectionName cannot be with collection/],
  [{ client, database: '' }, /database must be a name without \$ and NUL, got ''/],
  [{ client, database: 1 }, /database must be a name/],
  [{ client, collectionName: '$cmd' }, /collectionName must be a name/],
  [{ client, createIndexes: 1 }, /createIndexes must be true or false, got 1/],
  [{ client, writeConcern: 'majority' }, /writeConcern must be an object such as \{ w: 'majority' \}, got 'majority'/],
  [{ clinet: client, createIndexes: 1, writeConcern: { w: 0 } }, /unknown option "clinet": did you mean "client"\?; createIndexes must be .*; give one of client, db and collection; writeConcern\.w must be .*; known are/],
  [{ client, writeConcern: { W: 1 } }, /writeConcern: unknown option "W".*known are w, wtimeoutMS, journal/],
  [{ client, writeConcern: { w: 0 } }, /writeConcern\.w must be 'majority', a number of members above 0, or a name, got 0/],
  [{ client, writeConcern: { w: '' } }, /writeConcern\.w must be/],
  [{ client, writeConcern: { wtimeoutMS: -1 } }, /writeConcern\.wtimeoutMS must be a whole number of milliseconds/],
  [{ client, writeConcern: { journal: 'yes' } }, /writeConcern\.journal must be true or false/]
]

for (const [at, [options, message]] of refused.entries()) {
  test(`wrong options ${at} are refused: ${String(message)}`, (t) => {
    const { message: text } = t.throws(() => mongoStore(options as MongoStoreOptions), { instanceOf: TypeError, message })
    t.notRegex(text, /secret/)
  })
}

test('undefined means absent', (t) => {
  t.notThrows(() => mongoStore({ client, db: undefined, collection: undefined, database: undefined, collectionName: undefined, writeConcern: undefined, createIndexes: undefined }))
  t.notThrows(() => mongoStore({ client, writeConcern: { w: undefined, wtimeoutMS: undefined, journal: undefined } }))
})

// Serial: so the tests share a server. Those that run at once would each start one, which needs a whole core.
const mongoTest = needsMongo(test).serial as typeof test

mongoTest('client, db and collection name the same documents', async (t) => {
  const server = await startMongo(t)
  const connected = connectMongo(t, `${server.url}/named`)
  const { newRecord } = openScope(connected)
  const record = newRecord()
  const stores = [
    mongoStore({ client: connected }),
    mongoStore({ client: connected, database: 'named', collectionName: 'sessions' }),
    mongoStore({ db: connected.db('named') }),
    mongoStore({ collection: connected.db('named').collection('sessions') })
  ]
  await stores[0]!.create(record.id, record)
  for (const store of stores) t.deepEqual(await store.read(record.id), record)
  for (const other of [mongoStore({ client: connected, database: 'other' }), mongoStore({ db: connected.db(), collectionName: 'other' })]) {
    t.is(await other.read(record.id), undefined)
  }
  t.is(await connected.db('named').collection<{ _id: string }>('sessions').countDocuments({ _id: `session:${record.id}` }), 1)
})

mongoTest('closing the store leaves the client of the application open', async (t) => {
  const server = await startMongo(t)
  const connected = connectMongo(t, server.url)
  const { newRecord } = openScope(connected)
  const record = newRecord()
  const store = mongoStore({ client: connected })
  await store.create(record.id, record)
  await store.close!()
  t.is(await connected.db().collection('sessions').countDocuments({}), 1)
})
