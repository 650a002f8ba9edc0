import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { TestFn } from 'ava'
import { needs } from './needs.js'

const run = promisify(execFile)

/** Real Redis servers, each on free loopback ports and with a temporary directory. */
export const hasRedis = spawnSync('redis-server', ['--version']).status === 0

/** AVA's `test`, or one that skips everything where the server is missing (needs.ts). */
export function needsRedis(test: TestFn): TestFn {
  return needs(test, hasRedis, 'Redis', 'redis-server is missing: apt-get install redis-server')
}

export interface RedisServer {
  readonly port: number
  readonly url: string
  /** `redis-cli`; answers what it prints. */
  cli: (...args: string[]) => Promise<string>
  /** SIGSTOP: it holds its connections and answers nobody. */
  pause: () => void
  resume: () => void
  /** kill -9. */
  kill: () => Promise<void>
  /** Starts it again on the same port with the same settings. Data that was only in memory is gone. */
  start: () => Promise<void>
  stop: () => Promise<void>
}

/** Starts a server; arguments are `redis-server`'s. */
export async function startRedis(...args: string[]): Promise<RedisServer> {
  const dir = await mkdtemp(join(tmpdir(), 'keepsake-redis-'))
  const server = createRedis(dir, await freePort(), args)
  await server.start()
  return server
}

/** Three masters, each with `replicas` replicas, that cover all slots. */
export async function startCluster(replicas = 0): Promise<{ servers: RedisServer[]; stop: () => Promise<void> }> {
  const count = 3 * (1 + replicas)
  const servers = await Promise.all(
    Array.from({ length: count }, async () => startRedis('--cluster-enabled', 'yes', '--cluster-port', String(await freePort()), '--cluster-node-timeout', '2000', '--repl-diskless-sync-delay', '0'))
  )
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`)
  await run('redis-cli', ['--cluster', 'create', ...addresses, '--cluster-replicas', String(replicas), '--cluster-yes'])
  await until('the cluster is complete', async () => {
    for (const { cli } of servers) {
      const info = await cli('CLUSTER', 'INFO')
      if (!info.includes('cluster_state:ok') || !info.includes(`cluster_known_nodes:${count}`)) return false
      const role = await cli('INFO', 'replication')
      if (role.includes('role:slave') ? !role.includes('master_link_status:up') : !role.includes(`connected_slaves:${replicas}`)) return false
    }
    return true
  }, slowPoll)
  return { servers, stop: async () => void (await Promise.all(servers.map(({ stop }) => stop()))) }
}

export const masterName = 'keepsake'

export interface Sentinels {
  master: RedisServer
  replica: RedisServer
  /** One of the sentinels, for commands. */
  sentinel: RedisServer
  sentinels: { host: string; port: number }[]
  stop: () => Promise<void>
}

/** A master with one replica, and three sentinels that watch them. */
export async function startSentinels(): Promise<Sentinels> {
  const options = ['--repl-diskless-sync-delay', '0', '--repl-ping-replica-period', '1']
  const master = await startRedis(...options)
  const replica = await startRedis(...options, '--replicaof', '127.0.0.1', String(master.port))
  await until('the replica follows', async () => (await replica.cli('INFO', 'replication')).includes('master_link_status:up'), slowPoll)
  const watchers = await Promise.all(
    [1, 2, 3].map(async () => {
      const dir = await mkdtemp(join(tmpdir(), 'keepsake-sentinel-'))
      const conf = join(dir, 'sentinel.conf')
      await writeFile(
        conf,
        `sentinel monitor ${masterName} 127.0.0.1 ${master.port} 2\nsentinel down-after-milliseconds ${masterName} 500\n` +
          `sentinel failover-timeout ${masterName} 2000\n`
      )
      const sentinel = createRedis(dir, await freePort(), [], conf)
      await sentinel.start()
      return sentinel
    })
  )
  await until('the sentinels know each other', async () => {
    const views = await Promise.all(watchers.map(({ cli }) => cli('SENTINEL', 'MASTER', masterName)))
    return views.every((view) => /num-slaves\n1\n/.test(view) && /num-other-sentinels\n2\n/.test(view))
  }, slowPoll)
  return {
    master,
    replica,
    sentinel: watchers[0]!,
    sentinels: watchers.map(({ port }) => ({ host: '127.0.0.1', port })),
    stop: async () => void (await Promise.all([...watchers, master, replica].map(({ stop }) => stop())))
  }
}

/** How often each command was called since the last `CONFIG RESETSTAT`, by name, without the commands that read these numbers. */
export async function commandCounts(server: RedisServer): Promise<Record<string, number>> {
  const lines = (await server.cli('INFO', 'commandstats')).matchAll(/^cmdstat_(\S+?):calls=(\d+)/gm)
  const counts = Array.from(lines, ([, name, calls]): [string, number] => [name!, Number(calls)])
  return Object.fromEntries(counts.filter(([name]) => !/^(info|config|command|hello|client|ping)\b/.test(name)))
}

/** Use this interval, in milliseconds, for conditions that run `redis-cli`: each check costs more CPU than the server that it waits for. */
const slowPoll = 150
/** How long a condition may take to become true, in milliseconds. */
const patience = 60_000

/** Polls until the condition is true. @param interval in milliseconds. */
export async function until(what: string, holds: () => Promise<boolean> | boolean, interval = 20): Promise<void> {
  for (const end = Date.now() + patience; ; await delay(interval)) {
    if (await attempt(holds)) return
    if (Date.now() > end) throw new Error(`not within ${patience} ms: ${what}`)
  }
}

/** The condition, where an error counts as false. */
async function attempt(holds: () => Promise<boolean> | boolean): Promise<boolean> {
  try {
    return await holds()
  } catch {
    return false
  }
}

/**
 * A port that nobody listens on. Not one that the kernel hands out (32768 and above): a server that is killed and started
 * again would find it taken by one of the many connections that tests make meanwhile.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(10_000, 32_768)
    const server = createServer().listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(() => true, () => false)
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
}

function createRedis(dir: string, port: number, args: string[], conf?: string): RedisServer {
  let child: ChildProcess | undefined
  const base = conf === undefined ? ['--save', '', '--appendonly', 'no'] : [conf, '--sentinel']
  const end = async (signal: NodeJS.Signals) => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return
    const exited = once(child, 'exit')
    child.kill(signal)
    await exited
  }
  const server: RedisServer = {
    port,
    url: `redis://127.0.0.1:${port}`,
    cli: async (...command) => (await run('redis-cli', ['-p', String(port), ...command])).stdout,
    pause: () => void child?.kill('SIGSTOP'),
    resume: () => void child?.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    async start() {
      child = spawn(command, [...prefix, ...(conf === undefined ? [] : base), '--port', String(port), '--bind', '127.0.0.1', '--dir', dir, '--loglevel', 'warning', ...(conf === undefined ? base : []), ...args], { stdio: 'ignore' })
      live.add(child)
      await until(`redis-server listens on ${port}`, () => answers(port))
    },
    async stop() {
      await end('SIGKILL')
      await rm(dir, { recursive: true, force: true })
    }
  }
  return server
}

// However a test process ends, its servers end with it: on Linux by the kernel, also when it is killed.
const tied = ['setpriv', '--pdeathsig', 'KILL', 'redis-server']
const [command = 'redis-server', ...prefix] = spawnSync(tied[0]!, [...tied.slice(1), '--version']).status === 0 ? tied : ['redis-server']
const live = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL')
})

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.write('PING\r\n'))
    socket.once('data', (reply) => {
      socket.destroy()
      // One that wants a password, or is loading, is there too.
      resolve(/^[+-]/.test(String(reply)))
    })
    socket.once('error', () => resolve(false))
  })
}
