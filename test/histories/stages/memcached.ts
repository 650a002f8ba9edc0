import { hasMemcached, startMemcached } from '../../support/memcached.js'
import { startProxy } from '../../support/proxy.js'
import { loseAnswers, restart, type StageMaker } from './stage.js'

/** A restart loses every session. */
export const memcached: StageMaker = {
  name: 'memcached',
  ...(hasMemcached ? {} : { missing: 'memcached is missing: apt-get install memcached' }),
  processes: [1, 4],
  async start(t) {
    const server = await startMemcached(t)
    const network = await startProxy(t, server.port)
    const stage = { name: 'memcached', spec: () => ({ store: 'memcached' as const, address: `127.0.0.1:${network.port}` }) }
    return { stage, faults: ['none', 'kill', loseAnswers(network), restart(server, true), 'stop'] }
  }
}
