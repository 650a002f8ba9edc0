import { BSON, MongoClient } from 'mongodb'

/** The server is mongo-java-server, which speaks MongoDB's protocol. Its memory says nothing about MongoDB's, so the documents are measured. */
export async function mongo({ proxied, library }) {
  const client = await new MongoClient(proxied, { monitorCommands: true }).connect()
  const counts = {}
  client.on('commandStarted', ({ commandName }) => (counts[commandName] = (counts[commandName] ?? 0) + 1))
  return {
    store: library.mongoStore({ client }),
    async size() {
      let bytes = 0
      for await (const document of client.db().collection('sessions').find()) bytes += BSON.calculateObjectSize(document)
      return { bytes }
    },
    counts: async () => ({ ...counts }),
    close: () => client.close()
  }
}
