/** The assumptions, which no measurement gives, by name: the default, its unit and its meaning. Each is an option of `node bench/scale.js`. */
export const assumptions = {
  'active': [0.02, '', 'Share of the stored sessions that are in use at the busiest moment'],
  'think': [10, 's', 'Time between two requests of a session in use'],
  'writes': [0.1, '', 'Share of requests that change the session'],
  'touch-after': [60, 's', "`touchAfter`: a session in use is refreshed this often"],
  'stored-days': [31, 'days', 'How long a session is stored, from its creation to its expiry. A session that leaves is replaced by a new one, with a login'],
  'utilization': [0.5, '', 'Share of a core or of a network link that is used at the busiest moment'],
  'link': [10, 'Gbit/s', 'Network link of a server of a store'],
  'copy': [200, 'MB/s', 'Rate at which a new replica is filled'],
  'process-requests': [2000, '/s', 'Requests with a session that one process of the application answers'],
  'password': [250, 'ms', 'CPU time to check a password'],
  'login-minutes': [10, 'min', 'Time in which all users who are active log in again after a mass logout'],
  'redis-memory': [16, 'GB', 'Memory of the sessions of one master: more takes longer to copy to a new replica'],
  'redis-overhead': [1.5, '', 'Memory of a Redis server, as a multiple of what its sessions use: fragmentation, copies of pages while it saves, buffers'],
  'redis-replicas': [1, '', 'Replicas of each master'],
  'redis-failover': [17, 's', "Time without a master: `cluster-node-timeout` (15 s by default) and an election"],
  'redis-lag': [50, 'ms', 'How far a replica is behind its master'],
  'pg-cores': [32, '', 'Cores of a PostgreSQL server'],
  'pg-wal': [200, 'MB/s', 'Write-ahead log that a PostgreSQL server and its replicas can take'],
  'pg-disk': [2000, 'GB', 'Disk of a PostgreSQL server'],
  'pg-checkpoint': [300, 's', '`checkpoint_timeout`: a page that is changed for the first time after a checkpoint is logged as a whole'],
  'pg-vacuum': [100, 'MB/s', 'Rate at which autovacuum reads a table and its indexes'],
  'pg-failover': [30, 's', 'Time without a primary'],
  'heap': [4, 'GB', 'Memory that one process of Node.js has for sessions'],
  'disk': [1000, 'GB', 'Disk of one machine, for files and SQLite']
}

/** For `parseArgs`. */
export const options = Object.fromEntries(Object.keys(assumptions).map((name) => [name, { type: 'string' }]))

/** The assumptions by name, with what the command line says. */
export function assume(flags) {
  const entries = Object.entries(assumptions).map(([name, [value]]) => [name, flags[name] === undefined ? value : Number(flags[name])])
  for (const [name, value] of entries) if (!(value > 0)) throw new TypeError(`--${name} must be a number above 0`)
  return Object.fromEntries(entries)
}

/** Counts the events of the busiest second for a number of stored sessions. */
export function trafficOf(sessions, assumed) {
  const inUse = sessions * assumed.active
  const requests = inUse / assumed.think
  const saves = requests * assumed.writes
  // Each request refreshes at most once. A save moves the deadline too, so this is a little too many.
  const refreshes = Math.min(requests - saves, inUse / assumed['touch-after'])
  const logins = sessions / (assumed['stored-days'] * 24 * 3600)
  return { inUse, requests, saves, refreshes, reads: requests - saves - refreshes, logins }
}

/** A sum over the requests of a second. @param each what one request of each kind costs. */
export function sumOver({ reads, refreshes, saves, logins }, each) {
  return reads * each.read + refreshes * each.refresh + saves * each.save + logins * each.login
}
