import test from 'ava'
import { MongoClient } from 'mongodb'
import { mongoStore } from '../../src/stores/mongo/index.js'
import { closingToo, startServers, type Fleet } from '../support/fleet.js'
import { needsMongo, ownServer, startTemporaryDatabase } from '../support/mongo.js'
import { races } from './races.js'

async function startFleet(given?: string): Promise<Fleet> {
  const { url, database, end } = await startTemporaryDatabase(given)
  const clients = [new MongoClient(url), new MongoClient(url)] as const
  const [one, other] = clients.map((client) => mongoStore({ client, database }))
  return closingToo(await startServers([one!, one!, other!]), ...clients.map((client) => () => client.close()), end)
}

// Serial: all of them at once keep a JVM that has just started busy for so long that updates give up.
races(needsMongo(test).serial as typeof test, 'MongoDB, one process', () => startFleet())
if (ownServer !== undefined) races(test.serial as typeof test, 'the MongoDB of MONGODB_URI, one process', () => startFleet(ownServer))
