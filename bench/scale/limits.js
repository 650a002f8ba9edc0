import { sumOver, trafficOf } from './assumptions.js'
import { bytes, count } from './format.js'
import { loadOf, serversFor } from './postgres.js'

/** mkfs.ext4 makes one inode for each 16 KiB by default. */
const bytesPerInode = 16_384
/** The most blocks of names in a directory of ext4 without `large_dir`: two levels of an index in blocks of 4 KiB, with 8 bytes an entry. */
const directoryBlocks = 508 * 511
const blockSize = 4096
/** The largest cookie of cookieStore(), in bytes. */
const largestCookie = 4096

/** Where each store ends, as rows: the store, how many sessions, and what ends there. Stores that were not measured are left out. */
export function limits(measured, assumed) {
  const one = trafficOf(1, assumed)
  const perSession = (cpu) => sumOver(one, { read: cpu.read, refresh: cpu.save, save: cpu.save, login: cpu.login }) / 1e6 / assumed.utilization
  const rows = {
    memory: ({ fresh }) => [count((assumed.heap * 1e9) / fresh.bytes), `${assumed.heap} GB in one process. A restart forgets them. The default of \`maxSessions\` is 100,000`],
    file({ fresh, sweep }) {
      const ends = {
        ['The directory: ext4 without `large_dir` takes no more names (`ENOSPC` with free space)']: (directoryBlocks * blockSize) / fresh.directory,
        [`Inodes: ext4's default for ${assumed.disk} GB, with ${count(fresh.inodes)} for each session`]: (assumed.disk * 1e9) / bytesPerInode / fresh.inodes,
        [`Disk: ${assumed.disk} GB`]: (assumed.disk * 1e9) / fresh.bytes
      }
      const sorted = Object.entries(ends).sort(([, one_], [, other]) => one_ - other)
      return [count(sorted[0][1]), `One machine. ${sorted.map(([why, most]) => `${why}: ${count(most)}`).join('. ')}. A sweep of a million sessions took ${sweep}`]
    },
    redis: ({ fresh, cpu }) => [count(Math.min((assumed['redis-memory'] * 1e9) / fresh.bytes, 1 / perSession(cpu))), `One server, with ${assumed['redis-memory']} GB and one core. After that: Redis Cluster`],
    memcached: ({ fresh }) => [`${count((assumed['redis-memory'] * 1e9) / fresh.bytes)} for each node`, `${assumed['redis-memory']} GB a node. Sessions cannot be listed, are lost with their node, and move when the list of nodes changes`],
    mongo: ({ fresh }) => ['not measured', `A document has ${bytes(fresh.bytes)}, before compression and three indexes. The tests had no real MongoDB`],
    postgres(own) {
      const most = largest((sessions) => Math.max(...serversFor(loadOf(sessions, own, assumed), assumed)) <= 1)
      return [count(most), `One primary, with ${assumed['pg-cores']} cores, ${assumed['pg-wal']} MB/s of log and ${bytes(assumed['pg-disk'] * 1e9)}. The store does not spread sessions over several`]
    },
    mariadb: ({ used, cpu }) => [`below ${count(Math.min(assumed['pg-cores'] / perSession(cpu), (assumed['pg-disk'] * 1e9) / used.bytes))}`, 'One primary of the same size, by CPU and disk. Its log, which probably ends sooner, was not measured'],
    sqlite({ fresh, updateCpu }) {
      const changes = one.saves + one.refreshes + one.logins * 3
      const byWrites = ((1e6 / updateCpu) * assumed.utilization) / changes
      return [count(Math.min(byWrites, (assumed.disk * 1e9) / fresh.bytes)), `One machine, and one writer at a time: a change takes ${count(updateCpu)} µs, in which the process does nothing else`]
    },
    cookie: ({ cookie }) => ['any', `Nothing is stored. Each request carries ${bytes(cookie)} (at most ${bytes(largestCookie)}), and a logout cannot be enforced`]
  }
  return Object.keys(rows).filter((store) => measured[store]).map((store) => [store].concat(rows[store](measured[store])))
}

/** The largest number of sessions that fits, to within 1 %. */
function largest(fits) {
  let sessions = 1
  while (fits(sessions * 1.01)) sessions *= 1.01
  return sessions
}
