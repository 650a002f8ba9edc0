import { hash } from 'node:crypto'
import { Long, type Document } from 'mongodb'
import { mongoStore } from '../../../src/index.js'
import { connectMongo, needsMongo, startMongo, temporaryDatabase } from '../../support/mongo.js'
import type { Backend } from './backend.js'

export const mongo: Backend = {
  name: 'mongo',
  needs: needsMongo,
  async start(t) {
    const { url } = await startMongo(t)
    const client = connectMongo(t, url)
    const database = temporaryDatabase(t, client)
    const documents = client.db(database).collection<Document & { _id: string }>('sessions')
    const expires = new Date(Date.now() + 3_600_000)
    const put = (prefix: string, id: string, document: Document) => documents.replaceOne({ _id: prefix + id }, document, { upsert: true })
    const fail = async (...failCommands: string[]) => {
      const admin = client.db('admin')
      await admin.command({ configureFailPoint: 'failCommand', mode: { times: 100_000 }, data: { failCommands, errorCode: 121 } })
      return () => admin.command({ configureFailPoint: 'failCommand', mode: 'off' })
    }
    return {
      store: () => mongoStore({ client, database }),
      texts: {
        put(prefix, id, text) {
          const [, rev = '1', write = '"w"'] = /^\{"rev":(\d+),"write":("[^"]*")/.exec(text) ?? []
          return put(prefix, id, { rev: Number(rev), write: JSON.parse(write) as string, expires, record: text })
        },
        claim: (prefix, id, owner) => documents.updateOne({ _id: prefix + id }, { $set: { owner: hash('sha256', owner) } }),
        dump: async () => JSON.stringify(await documents.find().toArray()),
        odd: [
          ['a document without fields', (prefix, id) => put(prefix, id, {})],
          ['an object as the text', (prefix, id) => put(prefix, id, { rev: 1, write: 'w', expires, record: JSON.parse(whole(id)) as object })],
          ['a list as the text', (prefix, id) => put(prefix, id, { rev: 1, write: 'w', expires, record: [whole(id)] })],
          ['another revision beside the text', (prefix, id) => put(prefix, id, { rev: 2, write: 'w', expires, record: whole(id) })],
          ['operators as rev and write', (prefix, id) => put(prefix, id, { rev: { $gt: 0 }, write: { $ne: '' }, expires, record: whole(id) })],
          ['a 64-bit revision', (prefix, id) => put(prefix, id, { rev: Long.MAX_VALUE, write: 'w', expires, record: whole(id) })]
        ]
      },
      refuseWrites: () => fail('insert', 'update', 'delete'),
      breakDown: () => fail('find', 'getMore', 'insert', 'update', 'delete')
    }
  }
}

/** A record that would open its session. */
function whole(id: string): string {
  return JSON.stringify({ rev: 1, write: 'w', id, created: 1, used: 1, expires: 8e15, permanent: false, data: { planted: true } })
}
