import { spawnSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestFn } from 'ava'
import { MongoClient, type MongoClientOptions } from 'mongodb'
import type { Cleanup } from './app.js'
import { limitFiles } from './file-limit.js'
import { freePort } from './redis.js'
import { needs } from './needs.js'
import { removeAtExit } from './remove-at-exit.js'
import { ServerProcess } from './server-process.js'

/** Real servers: mongo-java-server, each on a free loopback port and with a temporary directory. */
export const hasMongo = spawnSync('sh', ['-c', 'command -v mongo-java-server']).status === 0

/** The URL of a server of your own, on which the tests run too that need no server to themselves. */
export const ownServer = process.env['MONGODB_URI']

/** AVA's `test`, or one that skips everything where the server is missing (needs.ts). */
export function needsMongo(test: TestFn): TestFn {
  return needs(test, hasMongo, 'MongoDB', 'mongo-java-server is missing: run .ci/mongo-java-server/install')
}

export interface MongoServer {
  readonly port: number
  readonly url: string
  /** SIGSTOP: it holds its connections and answers nobody. */
  pause(): Promise<void>
  resume(): void
  /** Limits the size of its files in bytes, until it is started again. */
  limitFiles(bytes: number): void
  /** kill -9. */
  kill(): Promise<void>
  /** On the same port, with the data that it had. */
  start(): Promise<void>
}

/** Servers that a test has left as it found them, for the next test of the file: a start costs as much as many tests. */
const idle: JavaServer[] = []

/** A server for one test. It has no data. */
export async function startMongo(t: Cleanup): Promise<MongoServer> {
  const server = idle.pop() ?? new JavaServer(await freePort())
  t.teardown(() => server.release())
  if (!server.isRunning) await server.start()
  return server
}

class JavaServer implements MongoServer {
  readonly port: number
  readonly url: string
  readonly #folder = mkdtempSync(join(tmpdir(), 'keepsake-mongo-'))
  readonly #process: ServerProcess
  #isDisturbed = false

  constructor(port: number) {
    this.port = port
    this.url = `mongodb://127.0.0.1:${port}`
    this.#process = new ServerProcess('mongo-java-server', `127.0.0.1:${port}`, this.#folder)
    removeAtExit(this.#folder)
  }

  get isRunning(): boolean {
    return this.#process.isRunning
  }

  pause(): Promise<void> {
    this.#isDisturbed = true
    return this.#process.pause()
  }

  resume(): void {
    this.#process.resume()
  }

  limitFiles(bytes: number): void {
    this.#isDisturbed = true
    limitFiles(this.#process.pid, bytes)
  }

  kill(): Promise<void> {
    this.#isDisturbed = true
    return this.#process.kill()
  }

  async start(): Promise<void> {
    const started = this.#process.start({ stdio: ['ignore', 'pipe', 'ignore'] })
    const ended = once(started, 'exit').then(() => Promise.reject(new Error('mongo-java-server ended before it listened')))
    await Promise.race([once(started.stdout!, 'data'), ended])
    ended.catch(() => undefined)
    // Neither the server nor its pipe keeps the process of the tests alive.
    started.stdout!.destroy()
    started.unref()
  }

  /** Empties the server for the next test. Ends it if the test has stopped or limited it, or if it does not answer. */
  async release(): Promise<void> {
    if (!this.#isDisturbed && this.isRunning && (await this.#empty())) idle.push(this)
    else await this.#end()
  }

  async #empty(): Promise<boolean> {
    const client = new MongoClient(this.url, patience)
    try {
      await client.db('admin').command({ configureFailPoint: 'failCommand', mode: 'off' })
      const { databases } = await client.db('admin').admin().listDatabases()
      await Promise.all(databases.map(({ name }) => client.db(name).dropDatabase()))
      return true
    } catch {
      return false
    } finally {
      await client.close()
    }
  }

  async #end(): Promise<void> {
    await this.#process.kill()
    await rm(this.#folder, { recursive: true, force: true })
  }
}

/** The timeouts of clients in tests that do not measure time. They are long, because slowness on a busy machine is no failure. */
const patience = { serverSelectionTimeoutMS: 60_000, connectTimeoutMS: 60_000, socketTimeoutMS: 60_000, waitQueueTimeoutMS: 60_000 }

/** A URL whose client has these timeouts. */
export function patientUrl(url: string): string {
  const parameters = Object.entries(patience).map(([name, milliseconds]) => `${name}=${milliseconds}`)
  return `${url}${url.includes('?') ? '&' : '?'}${parameters.join('&')}`
}

/** A client that ends with the test. */
export function connectMongo(t: Cleanup, url: string, options: MongoClientOptions = {}): MongoClient {
  const client = new MongoClient(url, { ...patience, ...options })
  t.teardown(() => client.close(true))
  return client
}

/** The name of a database that ends with the test. */
export function temporaryDatabase(t: Cleanup, client: MongoClient): string {
  const name = `keepsake_${randomBytes(4).toString('hex')}`
  t.teardown(() => client.db(name).dropDatabase().catch(() => undefined))
  return name
}

/** A database that did not exist. */
export interface TemporaryDatabase {
  readonly url: string
  readonly database: string
  /** Removes the database, and gives the server back if it was started for it. */
  readonly end: () => Promise<void>
}

/** @param given the URL of a server. Absent: one is started. */
export async function startTemporaryDatabase(given?: string): Promise<TemporaryDatabase> {
  const teardowns: (() => unknown)[] = []
  const cleanup: Cleanup = { teardown: (run) => void teardowns.unshift(run) }
  const url = given ?? (await startMongo(cleanup)).url
  return {
    url,
    database: temporaryDatabase(cleanup, connectMongo(cleanup, url)),
    async end() {
      for (const teardown of teardowns) await teardown()
    }
  }
}

/** The failure of a command: see `FailCommand.java`, and MongoDB's fail point of the same name. */
export type Failure = { errorCode: number } | { closeConnection: true } | { writeConcernError: { code: number; errmsg: string } }

/** Makes the next commands of that name fail on the server. */
export async function failNext(client: MongoClient, command: string, failure: Failure, times = 1): Promise<void> {
  await client.db('admin').command({ configureFailPoint: 'failCommand', mode: { times }, data: { failCommands: [command], ...failure } })
}
