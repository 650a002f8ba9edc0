import test from 'ava'
import { mongoStore } from '../../src/stores/mongo/index.js'
import { startProcesses } from '../support/fleet.js'
import { connectMongo, needsMongo, startMongo } from '../support/mongo.js'
import { crashes } from './crashes.js'

crashes(needsMongo(test), 'MongoDB, four processes that are killed', async (t) => {
  const { url } = await startMongo(t)
  const where = { url, database: 'keepsake' }
  const fleet = await startProcesses(4, new URL('../support/mongo-store.ts', import.meta.url), JSON.stringify(where))
  return { fleet, store: mongoStore({ client: connectMongo(t, url), database: where.database }) }
})
