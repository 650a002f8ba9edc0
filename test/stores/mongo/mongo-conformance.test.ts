import test, { type TestFn } from 'ava'
import type { MongoClient } from 'mongodb'
import { mongoStore } from '../../../src/stores/mongo/index.js'
import type { SessionDocument } from '../../../src/stores/mongo/document.js'
import { storeConformance } from '../../../src/testing/conformance.js'
import { connectMongo, needsMongo, ownServer, startMongo, temporaryDatabase } from '../../support/mongo.js'

const mongoTest = needsMongo(test)

suite(mongoTest, 'mongo-java-server', async (t) => (await startMongo(t)).url)
if (ownServer !== undefined) suite(test, 'the server of MONGODB_URI', async () => String(ownServer))

function suite(runner: TestFn, name: string, urlOf: (t: { teardown: (run: () => unknown) => void }) => Promise<string>): void {
  const teardowns: (() => unknown)[] = []
  const cleanup = { teardown: (run: () => unknown) => void teardowns.unshift(run) }
  let client: MongoClient
  let database: string

  runner.before(async () => {
    client = connectMongo(cleanup, await urlOf(cleanup))
    database = temporaryDatabase(cleanup, client)
  })
  runner.after.always(async () => {
    for (const teardown of teardowns) await teardown()
  })

  storeConformance(
    // Serial: all of them at once keep a JVM that has just started busy for so long that updates give up.
    (title, run) => runner.serial(`${name}: ${title}`, run),
    (scope) => {
      const documents = client.db(database).collection<SessionDocument>('sessions')
      return {
        store: mongoStore({ client, database }).scope!(scope),
        put: async (id, text) => void (await documents.replaceOne({ _id: scope.prefix + id }, documentWith(text), { upsert: true })),
        get: async (id) => (await documents.findOne({ _id: scope.prefix + id }))?.record
      }
    },
    { parallel: 100 }
  )
}

/** A document with any text, as far as that is possible with the `rev` and `write` of the text. */
function documentWith(text: string): Omit<SessionDocument, '_id'> {
  const [, rev = '1', write = '"w"'] = /^\{"rev":(\d+),"write":("[^"]*")/.exec(text) ?? []
  return { rev: Number(rev), write: JSON.parse(write) as string, expires: new Date(Date.now() + 3_600_000), record: text }
}
