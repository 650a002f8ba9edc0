// The servers that keep sessions. Each is started from the PATH, on a free loopback port and with a directory that goes with it. They run on
// the load's core: what they cost is not measured.
import { execFile, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { promisify } from 'node:util'

const run = promisify(execFile)

// Some of them refuse to run as root.
const nobody = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : {}

// However the benchmark ends, its servers end with it: on Linux by the kernel.
const tie = spawnSync('setpriv', ['--pdeathsig', 'KILL', 'true']).status === 0 ? ['setpriv', '--pdeathsig', 'KILL'] : []

// Where Debian keeps the programs of PostgreSQL, if they are not on the PATH. The newest version comes first.
const postgresHome = '/usr/lib/postgresql'
const postgresBins = existsSync(postgresHome) ? readdirSync(postgresHome).toSorted((one, other) => other - one).map((version) => join(postgresHome, version, 'bin')) : []
const searched = [...process.env.PATH.split(delimiter), ...postgresBins]

/** The first message of a client of PostgreSQL: its length, version 3.0 of the protocol, and who wants to use which database. */
const postgresLogin = '\0\0\0\x29\0\x03\0\0user\0keepsake\0database\0postgres\0\0'

/**
 * By store: the program, and how to start it. A server is ready when it answers `hello` as `isReady` expects; without `isReady`, when it
 * lets one connect.
 */
const backends = {
  redis: {
    program: 'redis-server',
    command: ({ port, dir }) => ['--port', port, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no', '--dir', dir],
    hello: 'PING\r\n',
    isReady: (answer) => answer.startsWith('+PONG'),
    url: (port) => `redis://127.0.0.1:${port}`
  },
  memcached: {
    program: 'memcached',
    command: ({ port }) => ['-l', '127.0.0.1', '-p', port, '-U', '0', '-m', '256'],
    hello: 'version\r\n',
    isReady: (answer) => answer.startsWith('VERSION'),
    url: (port) => `127.0.0.1:${port}`
  },
  mongo: {
    program: 'mongo-java-server',
    command: ({ port, dir }) => [`127.0.0.1:${port}`, dir],
    url: (port) => `mongodb://127.0.0.1:${port}`
  },
  postgres: {
    program: 'postgres',
    prepare: ({ data }) => run(find('initdb'), ['-D', data, '-A', 'trust', '-N', '-U', 'keepsake', '-E', 'UTF8', '--locale=C'], nobody),
    command: ({ port, dir, data }) => ['-D', data, ...['listen_addresses=127.0.0.1', `port=${port}`, `unix_socket_directories=${dir}`, 'fsync=off'].flatMap((each) => ['-c', each])],
    hello: postgresLogin,
    isReady: (answer) => answer.startsWith('R'),
    url: (port) => `postgres://keepsake@127.0.0.1:${port}/postgres`
  },
  mariadb: {
    program: 'mariadbd',
    prepare: ({ dir, data }) => run(find('mariadb-install-db'), [...mariaDbDirs(dir, data), '--auth-root-authentication-method=normal', '--skip-test-db'], { ...nobody, cwd: dir }),
    command: ({ port, dir, data }) => [
      ...mariaDbDirs(dir, data), `--port=${port}`, '--bind-address=127.0.0.1', `--socket=${join(dir, 'socket')}`, `--pid-file=${join(dir, 'pid')}`, '--skip-log-error'
    ],
    // It speaks first.
    isReady: (answer) => answer !== '',
    url: (port) => `mysql://root@127.0.0.1:${port}/mysql`
  }
}

function mariaDbDirs(dir, data) {
  return ['--no-defaults', `--datadir=${data}`, `--tmpdir=${dir}`, '--innodb-flush-log-at-trx-commit=2']
}

/** The program that a store needs and that is not installed. */
export function missingFor(store) {
  const program = backends[store]?.program
  return program && !find(program) ? program : undefined
}

/** Starts the server of a store; `undefined` for a store that needs none. */
export async function startBackend(store) {
  const backend = backends[store]
  if (!backend) return undefined
  const { program, prepare, command, url } = backend
  const dir = await mkdtemp(join(tmpdir(), `bench-${store}-`))
  if (nobody.uid) await chown(dir, nobody.uid, nobody.gid)
  const port = await freePort()
  const where = { dir, data: join(dir, 'data'), port: String(port) }
  await prepare?.(where)
  const [first, ...args] = [...tie, find(program), ...command(where)]
  const child = spawn(first, args, { ...nobody, cwd: dir, stdio: 'ignore' })
  const ended = once(child, 'exit')

  for (const end = performance.now() + 60_000; !(await isReady(port, backend)); await delay(50)) {
    if (child.exitCode !== null || performance.now() > end) throw new Error(`${program} does not answer`)
  }
  return {
    url: url(port),
    pid: child.pid,
    async stop() {
      child.kill('SIGKILL')
      await ended
      // Processes of PostgreSQL may still be about to notice.
      await rm(dir, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
    }
  }
}

/** The versions of the servers of these stores that are installed. */
export function serverVersions(stores) {
  const programs = stores.map((store) => backends[store]?.program).filter((program) => program && find(program))
  return Object.fromEntries(programs.map((program) => [program, versionOf(program)]))
}

function versionOf(program) {
  // It does not say: this is the version that was installed.
  if (program === 'mongo-java-server') {
    const pom = new URL('../.ci/mongo-java-server/pom.xml', import.meta.url)
    return /<artifactId>mongo-java-server-h2-backend<\/artifactId>\s*<version>([^<]+)/.exec(readFileSync(pom, 'utf8'))[1]
  }
  const { stdout } = spawnSync(find(program), ['--version'], { encoding: 'utf8' })
  return /\d+(\.\d+)+/.exec(stdout)[0]
}

function find(program) {
  return searched.map((dir) => join(dir, program)).find((path) => existsSync(path))
}

function isReady(port, { hello, isReady: expects }) {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => {
      if (hello) socket.write(hello, 'latin1')
      if (!expects) done(true)
    })
    const done = (ready) => {
      resolve(ready)
      socket.destroy()
    }
    socket.setTimeout(1000, () => done(false))
    socket.on('error', () => done(false))
    socket.on('close', () => done(false))
    socket.on('data', (data) => done(expects(data.toString('latin1'))))
  })
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address()
  server.close()
  return port
}
