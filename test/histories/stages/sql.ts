import { createTable } from '../../../src/stores/sql/index.js'
import { startProxy } from '../../support/proxy.js'
import { engines, type Engine } from '../../support/sql.js'
import type { Fault } from '../run/conduct.js'
import { loseAnswers, restart, type StageMaker } from './stage.js'

export const sql: readonly StageMaker[] = engines.map(stageOf)

function stageOf(engine: Engine): StageMaker {
  return {
    name: engine.name.toLowerCase(),
    ...(engine.isInstalled ? {} : { missing: `${engine.name} is missing: apt-get install ${engine.package}` }),
    processes: [1, 4],
    async start(t) {
      const database = await engine.start()
      t.teardown(() => database.stop())
      await createTable({ knex: database.connect() })
      const { server } = database
      const url = new URL(database.url)
      const faults: Fault[] = ['none', 'kill', 'stop']
      if (server) {
        const network = await startProxy(t, Number(url.port))
        url.port = String(network.port)
        faults.push(restart(server), loseAnswers(network))
      }
      return { stage: { name: engine.name, spec: () => ({ store: 'sql', url: url.href }) }, faults }
    }
  }
}
