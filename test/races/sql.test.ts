import test from 'ava'
import { createTable, sqlStore } from '../../src/stores/sql/index.js'
import { closingToo, startServers } from '../support/fleet.js'
import { engines, needsEngine, patience } from '../support/sql.js'
import { races } from './races.js'

for (const engine of engines) {
  races(needsEngine(test, engine), `${engine.name}, one process`, async () => {
    const database = await engine.start()
    const knexes = [database.connect(), database.connect()]
    await createTable({ knex: knexes[0]! })
    const stores = knexes.map((knex) => sqlStore({ knex, timeout: patience }))
    return closingToo(await startServers([stores[0]!, stores[0]!, stores[1]!]), () => database.stop())
  })
}
