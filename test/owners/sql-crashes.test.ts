import test from 'ava'
import { createTable, sqlStore } from '../../src/stores/sql/index.js'
import { startProcesses } from '../support/fleet.js'
import { engines, needsEngine } from '../support/sql.js'
import { crashes } from './crashes.js'

for (const engine of engines) {
  crashes(needsEngine(test, engine), `${engine.name}, four processes that are killed`, async (t) => {
    const database = await engine.start()
    t.teardown(() => database.stop())
    const knex = database.connect()
    await createTable({ knex })
    const fleet = await startProcesses(4, new URL('../support/sql-store.ts', import.meta.url), database.url)
    return { fleet, store: sqlStore({ knex, timeout: 60_000 }) }
  })
}
