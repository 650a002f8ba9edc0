import test from 'ava'
import { startProcesses, type Fleet } from '../support/fleet.js'
import { needsMongo, ownServer, startTemporaryDatabase } from '../support/mongo.js'
import { races } from './races.js'

async function startFleet(given?: string): Promise<Fleet> {
  const { end, ...where } = await startTemporaryDatabase(given)
  const fleet = await startProcesses(4, new URL('../support/mongo-store.ts', import.meta.url), JSON.stringify(where))
  return {
    ...fleet,
    async close() {
      await fleet.close()
      await end()
    }
  }
}

races(needsMongo(test), 'MongoDB, four processes', () => startFleet())
if (ownServer !== undefined) races(test, 'the MongoDB of MONGODB_URI, four processes', () => startFleet(ownServer))
