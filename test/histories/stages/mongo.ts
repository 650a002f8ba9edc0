import { hasMongo, startMongo } from '../../support/mongo.js'
import { startProxy } from '../../support/proxy.js'
import { loseAnswers, restart, type StageMaker } from './stage.js'

export const mongo: StageMaker = {
  name: 'mongo',
  ...(hasMongo ? {} : { missing: 'mongo-java-server is missing: run .ci/mongo-java-server/install' }),
  processes: [1, 4],
  async start(t) {
    const server = await startMongo(t)
    const network = await startProxy(t, server.port)
    const stage = { name: 'MongoDB', spec: () => ({ store: 'mongo' as const, url: `mongodb://127.0.0.1:${network.port}`, database: 'keepsake' }) }
    return { stage, faults: ['none', 'kill', restart(server), loseAnswers(network), 'stop'] }
  }
}
