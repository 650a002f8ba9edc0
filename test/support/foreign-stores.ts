import { mkdtemp, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import type { TestFn } from 'ava'
import { fromExpressStore, fromKoaSessionStore, type ExpressStore, type KoaSessionStore } from '../../src/stores/adapters/index.js'
import type { SessionStore } from '../../src/store/index.js'
import type { Cleanup } from './app.js'
import { connectMongo, needsMongo, startMongo } from './mongo.js'
import { needsRedis, startRedis } from './redis.js'
import { needsEngine, servers } from './sql.js'

/** A store of another library, as the tests use it. */
export interface ForeignStore {
  /** Another adapter of the same store. */
  adapt(): SessionStore
  set(key: string, session: object): Promise<unknown>
  get(key: string): Promise<unknown>
}

/** A package with such a store. */
export interface ForeignPackage {
  readonly name: string
  /** AVA's `test`, or what skips where the server is missing. */
  readonly needs: (test: TestFn) => TestFn
  readonly start: (t: Cleanup) => Promise<ForeignStore>
}

// None of these packages has types of its own that hold without express-session's, which has none.
const require = createRequire(import.meta.url)
type Constructor<T> = new (options?: object) => T

interface Callbacks extends ExpressStore {
  get(sid: string, callback: (error: unknown, session?: unknown) => void): void
  set(sid: string, session: object, callback: (error?: unknown) => void): void
}

interface Promises extends KoaSessionStore {
  get(key: string): Promise<unknown>
  set(key: string, session: object, ttl: number): Promise<unknown>
}

const express = require('express-session') as { MemoryStore: Constructor<Callbacks> }

const koaRedis: ForeignPackage = {
  name: 'koa-redis',
  needs: needsRedis,
  async start(t) {
    const RedisStore = require('koa-redis') as Constructor<Promises & { quit(): Promise<unknown>; on(event: string, listener: () => void): void }>
    const server = await startRedis()
    const store = new RedisStore({ host: '127.0.0.1', port: server.port })
    store.on('error', () => undefined)
    t.teardown(async () => {
      await store.quit()
      await server.stop()
    })
    return { adapt: () => fromKoaSessionStore(store), get: (key) => store.get(key), set: (key, session) => store.set(key, session, 3_600_000) }
  }
}

const memory: ForeignPackage = {
  name: 'express-session MemoryStore',
  needs: (test) => test,
  start: async () => withCallbacks(new express.MemoryStore())
}

const sessionFileStore: ForeignPackage = {
  name: 'session-file-store',
  needs: (test) => test,
  async start(t) {
    const FileStore = (require('session-file-store') as (session: object) => Constructor<Callbacks>)(express)
    const dir = await mkdtemp(join(tmpdir(), 'keepsake-session-file-store-'))
    t.teardown(() => rm(dir, { recursive: true, force: true }))
    return withCallbacks(new FileStore({ path: dir, retries: 0, reapInterval: -1, logFn: () => undefined }))
  }
}

const postgres = servers.find(({ name }) => name === 'PostgreSQL')!

const connectPgSimple: ForeignPackage = {
  name: 'connect-pg-simple',
  needs: (test) => needsEngine(test, postgres),
  async start(t) {
    const PgStore = (require('connect-pg-simple') as (session: object) => Constructor<Callbacks & { close(): Promise<void> }>)(express)
    const database = await postgres.start()
    const store = new PgStore({ conString: database.url, createTableIfMissing: true, pruneSessionInterval: false, errorLog: () => undefined })
    t.teardown(async () => {
      await store.close()
      await database.stop()
    })
    return withCallbacks(store)
  }
}

const connectMongoStore: ForeignPackage = {
  name: 'connect-mongo',
  needs: needsMongo,
  async start(t) {
    const { default: MongoStore } = require('connect-mongo') as { default: { create(options: object): Callbacks } }
    const server = await startMongo(t)
    const client = connectMongo(t, server.url)
    return withCallbacks(MongoStore.create({ client, dbName: 'test' }))
  }
}

export const packages: readonly ForeignPackage[] = [koaRedis, memory, sessionFileStore, connectPgSimple, connectMongoStore]

/** AVA's `test`, which runs these tests one after another: all packages at once would take longer than calls may take. */
export function oneByOne(test: TestFn): TestFn {
  return Object.assign((...args: Parameters<TestFn>) => test.serial(...args), { serial: test.serial, before: test.before, after: test.after }) as TestFn
}

function withCallbacks(store: Callbacks): ForeignStore {
  const get = promisify<string, unknown>((key, callback) => store.get(key, callback))
  const set = promisify<string, object, void>((key, session, callback) => store.set(key, session, callback))
  return { adapt: () => fromExpressStore(store), get, set: (key, session) => set(key, { cookie: { expires: new Date(Date.now() + 3_600_000), originalMaxAge: 3_600_000 }, ...session }) }
}
