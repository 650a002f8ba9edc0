import { startProxy } from '../../support/proxy.js'
import { hasRedis, startCluster, startRedis, until } from '../../support/redis.js'
import type { Strike } from '../run/conduct.js'
import { loseAnswers, restart, type StageMaker } from './stage.js'

const missing = hasRedis ? {} : { missing: 'redis-server is missing: apt-get install redis-server' }

/** One server that writes each change to the disk before it answers. Every second process has the other driver. */
export const redis: StageMaker = {
  name: 'redis',
  ...missing,
  processes: [1, 4],
  async start(t) {
    const server = await startRedis('--appendonly', 'yes', '--appendfsync', 'always')
    t.teardown(server.stop)
    const network = await startProxy(t, server.port)
    const address = { url: `redis://127.0.0.1:${network.port}` }
    return { stage: { name: 'Redis', spec: (worker) => ({ store: 'redis', driver: driverOf(worker), address }) }, faults: ['none', 'kill', restart(server), loseAnswers(network), 'stop'] }
  }
}

/** Three masters that change with their replicas, as an operator does it: no write is lost. */
export const redisCluster: StageMaker = {
  name: 'redis-cluster',
  ...missing,
  processes: [4],
  async start(t) {
    const { servers, stop } = await startCluster(1)
    t.teardown(stop)
    const failover: Strike = {
      async strike() {
        const roles = await Promise.all(servers.map(({ cli }) => cli('INFO', 'replication')))
        for (const replica of servers.filter((_, at) => roles[at]!.includes('role:slave'))) {
          let askAgain = -Infinity
          await until('the replica is the master', async () => {
            if ((await replica.cli('INFO', 'replication')).includes('role:master')) return true
            if (performance.now() < askAgain) return false
            await replica.cli('CLUSTER', 'FAILOVER')
            askAgain = performance.now() + failoverTimeout
            return false
          })
        }
      }
    }
    const address = { ports: servers.map(({ port }) => port) }
    return { stage: { name: 'a Redis cluster', spec: (worker) => ({ store: 'redis', driver: driverOf(worker), address }) }, faults: ['none', failover, 'kill', failover] }
  }
}

/** After so long, in milliseconds, Redis gives up a failover that the master has not answered, without a word. */
const failoverTimeout = 6000

function driverOf(worker: number): 'redis' | 'ioredis' {
  return worker % 2 === 0 ? 'redis' : 'ioredis'
}
