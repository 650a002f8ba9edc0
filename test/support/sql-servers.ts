import { execFile, spawn, spawnSync, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rename, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { limitFiles } from './file-limit.js'
import { freePort, until } from './redis.js'

const run = promisify(execFile)

/** A real database server on loopback, a free port and a temporary directory. */
export interface SqlServer {
  readonly url: string
  /** SIGSTOP: it holds its connections and answers nobody. */
  pause(): Promise<void>
  resume(): void
  /** Limits the size of its files in bytes, from now on. Absent: without limit. */
  limitFiles(bytes?: number): void
  /** kill -9. */
  kill(): Promise<void>
  /** On the same port, with the data that it has on disk. */
  start(): Promise<void>
  stop(): Promise<void>
}

const postgresBin = ['/usr/lib/postgresql/15/bin', '/usr/lib/postgresql/16/bin', '/usr/lib/postgresql/17/bin'].find((dir) => existsSync(dir))
export const hasPostgres = postgresBin !== undefined
export const hasMariaDb = spawnSync('mariadbd', ['--version']).status === 0

// PostgreSQL refuses to run as root.
const isRoot = process.getuid?.() === 0
const nobody = isRoot ? { uid: 65534, gid: 65534 } : {}

/** @param options of `postgres`, for example `max_connections=5`. */
export async function startPostgres(...options: string[]): Promise<SqlServer> {
  const { dir, data, port } = await prepare('postgres', `${postgresBin!}/postgres`, (newData) =>
    run(`${postgresBin!}/initdb`, ['-D', newData, '-A', 'trust', '-N', '-U', 'keepsake', '-E', 'UTF8', '--locale=C'], nobody)
  )
  const settings = ['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${dir}`, 'fsync=off', ...options]
  const command = [`${postgresBin!}/postgres`, '-D', data, ...settings.flatMap((each) => ['-c', each])]
  return startServer(dir, port, `postgres://keepsake@127.0.0.1:${port}/postgres`, command)
}

/** @param options of `mariadbd`, for example `--max-connections=5`. */
export async function startMariaDb(...options: string[]): Promise<SqlServer> {
  const { dir, data, port } = await prepare('mariadb', 'mariadbd', (newData, tmp) =>
    run('mariadb-install-db', [...mariaDbOptions(newData, tmp), '--auth-root-authentication-method=normal', '--skip-test-db'], { ...nobody, cwd: tmp })
  )
  const own = [`--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(dir, 'socket')}`, `--pid-file=${join(dir, 'pid')}`]
  const command = ['mariadbd', ...mariaDbOptions(data, dir), ...own, '--innodb-buffer-pool-size=32M', '--skip-log-error', ...options]
  return startServer(dir, port, `mysql://root@127.0.0.1:${port}/mysql`, command)
}

function mariaDbOptions(data: string, tmp: string): readonly string[] {
  // Its temporary tables have names that another server takes too.
  return ['--no-defaults', `--datadir=${data}`, `--tmpdir=${tmp}`, '--innodb-log-file-size=8M', '--innodb-flush-log-at-trx-commit=2']
}

/** Makes the data directory of a new server in `data`. `tmp` is a directory for its temporary files. */
type Install = (data: string, tmp: string) => Promise<unknown>

async function prepare(name: string, program: string, install: Install): Promise<{ dir: string; data: string; port: number }> {
  const dir = await ownDirectory(name)
  const data = join(dir, 'data')
  await run('cp', ['-a', await templateOf(name, program, install), data])
  return { dir, data, port: await freePort() }
}

/** The data directory of a new server of that version. The first server of a version makes it, and each server copies it: so a server starts in a third of the time. */
async function templateOf(name: string, program: string, install: Install): Promise<string> {
  const version = /\d+(\.\d+)+/.exec((await run(program, ['--version'])).stdout)?.[0]
  const template = join(tmpdir(), `keepsake-new-${name}-${version}-${process.getuid?.() ?? 0}`)
  if (existsSync(template)) return template
  const dir = await ownDirectory(name)
  await install(join(dir, 'data'), dir)
  await rename(join(dir, 'data'), template).catch((error: unknown) => {
    // Another process was faster.
    if (!existsSync(template)) throw error
  })
  await rm(dir, { recursive: true, force: true })
  return template
}

/** A temporary directory that belongs to the user of the servers. */
async function ownDirectory(name: string): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), `keepsake-${name}-`))
  if (isRoot) await chown(dir, 65534, 65534)
  return dir
}

const live = new Set<ChildProcess>()
process.on('exit', () => {
  for (const child of live) child.kill('SIGKILL')
})

// However a test process ends, its servers end with it: on Linux by the kernel, also when it is killed.
const tie = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL'] : []

async function startServer(dir: string, port: number, url: string, command: readonly string[]): Promise<SqlServer> {
  let child: ChildProcess | undefined
  const signal = (name: NodeJS.Signals) => {
    for (const pid of child ? [...childrenOf(child.pid!), child.pid!] : []) sendSignal(pid, name)
  }
  const server: SqlServer = {
    url,
    async pause() {
      signal('SIGSTOP')
      await until('the server has stopped', () => [child!.pid!, ...childrenOf(child!.pid!)].every(isStopped))
    },
    resume: () => signal('SIGCONT'),
    limitFiles(bytes) {
      for (const pid of [...childrenOf(child!.pid!), child!.pid!]) limitFiles(pid, bytes)
    },
    async kill() {
      if (!child || child.exitCode !== null || child.signalCode !== null) return
      const exited = once(child, 'exit')
      signal('SIGKILL')
      await exited
      live.delete(child)
    },
    async start() {
      await until(`${command[0]!} listens on ${port}`, async () => {
        if (!child || child.exitCode !== null || child.signalCode !== null) {
          const [file, ...args] = [...tie, ...command]
          child = spawn(file!, args, { ...nobody, cwd: dir, stdio: 'ignore' })
          live.add(child)
        }
        return greets(port, url)
      })
    },
    async stop() {
      await server.kill()
      await rm(dir, { recursive: true, force: true })
    }
  }
  await server.start()
  return server
}

/** The processes that a server has started: PostgreSQL has one for each connection. */
function childrenOf(pid: number): number[] {
  const file = `/proc/${pid}/task/${pid}/children`
  return existsSync(file) ? readFileSync(file, 'utf8').split(' ').filter(Boolean).map(Number) : []
}

/** Whether every thread of a process has stopped. */
function isStopped(pid: number): boolean {
  return readdirSync(`/proc/${pid}/task`).every((thread) => /^State:\s+T/m.test(readFileSync(`/proc/${pid}/task/${thread}/status`, 'utf8')))
}

function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch (error) {
    // It has ended meanwhile.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** Whether the server lets a client in. MariaDB speaks first. PostgreSQL answers a login with `R`, or with `E` while it still starts. */
function greets(port: number, url: string): Promise<boolean> {
  const isPostgres = url.startsWith('postgres')
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      if (isPostgres) socket.write(postgresLogin)
    })
    socket.setTimeout(10_000, () => socket.destroy())
    socket.once('data', (reply) => {
      resolve(!isPostgres || String(reply).startsWith('R'))
      socket.destroy()
    })
    socket.once('error', () => resolve(false))
    socket.once('close', () => resolve(false))
  })
}

/** The first message of a client: its length, version 3.0 of the protocol, and who wants to use which database. */
const postgresLogin = Buffer.from('\0\0\0\x29\0\x03\0\0user\0keepsake\0database\0postgres\0\0')
