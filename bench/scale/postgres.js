import { sumOver, trafficOf } from './assumptions.js'
import { bytes, count, duration } from './format.js'

/** The size of a page, in bytes. */
const pageSize = 8192
/** Knex's default of `pool.max`. */
const poolSize = 10
/** autovacuum_vacuum_scale_factor: the share of dead rows at which autovacuum begins. */
const deadShare = 0.2

/** Computes the load of PostgreSQL from a number of sessions. */
export function loadOf(sessions, measured, assumed) {
  const { used, requests, cpu } = measured
  const traffic = trafficOf(sessions, assumed)
  const disk = sessions * used.bytes
  const changes = traffic.saves + traffic.refreshes + 2 * traffic.logins
  return {
    traffic,
    disk,
    changes,
    cores: sumOver(traffic, { read: cpu.read, refresh: cpu.save, save: cpu.save, login: cpu.login }) / 1e6 / assumed.utilization,
    wal: changes * walOf(disk, changes, measured, assumed),
    network: sumOver(traffic, Object.fromEntries(['read', 'refresh', 'save', 'login'].map((kind) => [kind, requests[kind].up + requests[kind].down])))
  }
}

/**
 * Bytes of the write-ahead log for each change. Between two checkpoints, the first change of a page logs the whole page. Of many sessions,
 * nearly every change meets a page that was not changed yet.
 */
function walOf(disk, changes, { log }, assumed) {
  const changesOfPage = (changes * assumed['pg-checkpoint']) / (disk / pageSize)
  const firstShare = (1 - Math.exp(-changesOfPage)) / changesOfPage
  return log.save + (log['save after a checkpoint'] - log.save) * firstShare
}

/** How many servers so many sessions need: for CPU, the log and the disk. */
export function serversFor({ cores, wal, disk }, assumed) {
  return [cores / assumed['pg-cores'], wal / (assumed['pg-wal'] * 1e6), disk / (assumed['pg-disk'] * 1e9)].map((each) => Math.ceil(each))
}

/** Lists the needs of a number of sessions on PostgreSQL, as rows: a name, and an amount. */
export function postgres(sessions, measured, assumed) {
  const { used, cpu, end } = measured
  const load = loadOf(sessions, measured, assumed)
  const { traffic, disk, cores, wal, changes, network } = load
  const servers = serversFor(load, assumed)
  const gap = assumed['pg-failover']
  const vacuumEvery = (sessions * deadShare) / changes
  const vacuumTakes = disk / (assumed['pg-vacuum'] * 1e6)
  const indexes = sessions * used.indexes
  const stormPerSecond = traffic.inUse / (assumed['login-minutes'] * 60)
  const processes = Math.ceil(traffic.requests / assumed['process-requests'])

  return [
    ['requests per second', count(traffic.requests)],
    ['of these: saves, refreshes', `${count(traffic.saves)}, ${count(traffic.refreshes)}`],
    ['table and indexes', bytes(disk)],
    ['memory: indexes, and the rows in use', bytes(indexes + traffic.inUse * pageSize)],
    ['cores', count(cores)],
    ['write-ahead log, for each replica again over the network', `${bytes(wal)}/s`],
    ['network to the application', `${bytes(network)}/s`],
    [`connections: pools of ${poolSize} in each process`, count(processes * poolSize)],
    ['servers for CPU, log, disk', servers.map(count).join(', ')],
    ['**primaries**', `**${count(Math.max(...servers))}**`],
    ['expired rows to delete per second', count(traffic.logins)],
    ['autovacuum: due every; takes', `${duration(vacuumEvery)}; ${duration(vacuumTakes)}${vacuumTakes > vacuumEvery ? ' (**does not keep up**: partition)' : ''}`],
    [`the primary fails: requests with 503 in ${gap} s`, count((traffic.requests / Math.max(...servers)) * gap)],
    ['filling a new replica', duration(disk / Math.max(...servers) / (assumed.copy * 1e6))],
    ['mass logout with new keys, or `truncate`', '0 statements, or 1'],
    ['mass logout one by one: limit of the cores; one process', `${duration((sessions * end.cpu) / 1e6 / cores / assumed.utilization)}; ${duration((sessions * end.ms) / 1000)}`],
    ['then logins per second; cores for them', `${count(stormPerSecond)}; ${count((stormPerSecond * cpu.login) / 1e6 / assumed.utilization)}`],
    ['cores that check passwords', count((stormPerSecond * assumed.password) / 1000 / assumed.utilization)]
  ]
}
