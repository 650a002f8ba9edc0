import test from 'ava'
import { closingToo, startProcesses, type Fleet } from '../support/fleet.js'
import { needsMongo, ownServer, startTemporaryDatabase } from '../support/mongo.js'
import { races } from './races.js'

async function startFleet(given?: string): Promise<Fleet> {
  const { end, ...where } = await startTemporaryDatabase(given)
  return closingToo(await startProcesses(4, new URL('../support/mongo-store.ts', import.meta.url), JSON.stringify(where)), end)
}

// Serial: all of them at once keep a JVM that has just started busy for so long that updates give up.
races(needsMongo(test).serial as typeof test, 'MongoDB, four processes', () => startFleet())
if (ownServer !== undefined) races(test.serial as typeof test, 'the MongoDB of MONGODB_URI, four processes', () => startFleet(ownServer))
