import type { SessionStore } from '../../src/index.js'
import { mongoStore } from '../../src/stores/mongo/index.js'
import { connectMongo } from './mongo.js'

/** The MongoDB store of a process of a fleet. The argument is JSON with the URL and the database. */
export default function makeStore(argument: string): SessionStore {
  const { url, database } = JSON.parse(argument) as { url: string; database: string }
  return mongoStore({ client: connectMongo({ teardown: () => undefined }, url), database })
}
