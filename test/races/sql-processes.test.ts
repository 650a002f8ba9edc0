import test from 'ava'
import { createTable } from '../../src/stores/sql/index.js'
import { closingToo, startProcesses } from '../support/fleet.js'
import { engines, needsEngine } from '../support/sql.js'
import { races } from './races.js'

for (const engine of engines) {
  races(needsEngine(test, engine), `${engine.name}, four processes`, async () => {
    const database = await engine.start()
    await createTable({ knex: database.connect() })
    return closingToo(await startProcesses(4, new URL('../support/sql-store.ts', import.meta.url), database.url), () => database.stop())
  })
}
