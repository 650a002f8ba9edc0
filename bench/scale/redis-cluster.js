import { sumOver, trafficOf } from './assumptions.js'
import { bytes, count, duration } from './format.js'

/** A cluster has at least three masters, so that the others can elect a new one. */
const fewestMasters = 3

/** Lists the needs of a number of sessions on Redis Cluster, as rows: a name, and an amount. */
export function redisCluster(sessions, measured, assumed) {
  const { fresh, requests, log, cpu, end } = measured
  const traffic = trafficOf(sessions, assumed)
  const memory = sessions * fresh.bytes
  const network = sumOver(traffic, perKind((kind) => requests[kind].up + requests[kind].down))
  const replication = (traffic.saves * log.save + traffic.refreshes * log.refresh + traffic.logins * 2 * log.save) * assumed['redis-replicas']
  const cores = sumOver(traffic, { read: cpu.read, refresh: cpu.save, save: cpu.save, login: cpu.login }) / 1e6
  const link = (assumed.link * 1e9) / 8

  const forMemory = Math.ceil(memory / (assumed['redis-memory'] * 1e9))
  const forCpu = Math.ceil(cores / assumed.utilization)
  const forNetwork = Math.ceil((network + replication) / (link * assumed.utilization))
  const masters = Math.max(fewestMasters, forMemory, forCpu, forNetwork)
  const servers = masters * (1 + assumed['redis-replicas'])
  const perServer = (memory / masters) * assumed['redis-overhead']
  const gap = assumed['redis-failover']
  const stormPerSecond = traffic.inUse / (assumed['login-minutes'] * 60)
  const ending = (sessions * end.cpu) / 1e6 / masters / assumed.utilization

  return [
    ['requests per second', count(traffic.requests)],
    ['of these: saves, refreshes', `${count(traffic.saves)}, ${count(traffic.refreshes)}`],
    ['memory of the sessions', bytes(memory)],
    ['masters for memory, CPU, network', `${count(forMemory)}, ${count(forCpu)}, ${count(forNetwork)}`],
    ['**masters**', `**${count(masters)}**`],
    ['**servers**, with replicas', `**${count(servers)}**`],
    ['memory of a server; of all', `${bytes(perServer)}; ${bytes(perServer * servers)}`],
    ['connections to a master: one for each process', count(Math.ceil(traffic.requests / assumed['process-requests']))],
    ['network of a master: application, replicas', `${bytes(network / masters)}/s, ${bytes(replication / masters)}/s`],
    ['a master fails: sessions without a master', count(sessions / masters)],
    [`requests with 503 in these ${gap} s`, count((traffic.requests / masters) * gap)],
    ['acknowledged writes that may be lost', count(((traffic.saves + traffic.refreshes + traffic.logins) / masters) * (assumed['redis-lag'] / 1000))],
    ['filling a new replica', duration(memory / masters / (assumed.copy * 1e6))],
    ['mass logout with new keys, or `FLUSHALL ASYNC`', `0 commands, or ${count(masters)}`],
    ['mass logout one by one: limit of the masters; one process', `${duration(ending)}; ${duration((sessions * end.ms) / 1000)}`],
    ['then logins per second; load of the masters by them', `${count(stormPerSecond)}; ${count((100 * stormPerSecond * cpu.login) / 1e6 / masters)} %`],
    ['cores that check passwords', count((stormPerSecond * assumed.password) / 1000 / assumed.utilization)]
  ]
}

function perKind(of) {
  return { read: of('read'), refresh: of('refresh'), save: of('save'), login: of('login') + of('new session') }
}
