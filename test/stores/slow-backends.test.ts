import { once } from 'node:events'
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net'
import test, { type ExecutionContext } from 'ava'
import { Redis } from 'ioredis'
import createKnex from 'knex'
import { MemcacheClient } from 'memcache-client'
import { MongoClient } from 'mongodb'
import { createClient } from 'redis'
import { createStore, TimedStore, type SessionStore } from '../../src/store/index.js'
import { fromExpressStore, fromKoaSessionStore, memcachedStore, mongoStore, redisStore, sqlStore } from '../../src/index.js'
import { recordEvents } from '../support/events.js'
import { newRecord } from '../store/new-record.js'

// Each driver talks to a server on the loopback interface that accepts connections and never answers, or to a port on which nobody listens.

interface Opened {
  readonly store: SessionStore
  close(): unknown
}

/** In milliseconds: long enough for the drivers to fail only where they are refused. */
const patience = 20_000

const drivers: readonly [name: string, backend: string, open: (host: string, port: number) => Opened][] = [
  ['redis', 'Redis', (host, port) => {
    const client = createClient({ url: `redis://user:hunter2@${host}:${port}`, socket: { connectTimeout: patience, reconnectStrategy: false } })
    client.connect().catch(() => undefined)
    return { store: redisStore({ client }), close: () => client.destroy() }
  }],
  ['ioredis', 'Redis', (host, port) => {
    const client = new Redis(`redis://user:hunter2@${host}:${port}`, { connectTimeout: patience, maxRetriesPerRequest: 0, retryStrategy: () => null })
    return { store: redisStore({ client }), close: () => client.disconnect() }
  }],
  ['memcache-client', 'memcached', (host, port) => {
    const client = new MemcacheClient({ server: `${host}:${port}`, cmdTimeout: patience, connectTimeout: patience })
    return { store: memcachedStore({ client }), close: () => client.shutdown() }
  }],
  ['mongodb', 'MongoDB', (host, port) => {
    const client = new MongoClient(`mongodb://user:hunter2@${host}:${port}/app?directConnection=true`, { serverSelectionTimeoutMS: host === 'localhost' ? 1000 : patience, connectTimeoutMS: patience })
    return { store: mongoStore({ client, createIndexes: false }), close: () => client.close(true) }
  }],
  ['knex with pg', 'PostgreSQL', (host, port) => {
    const knex = createKnex({ client: 'pg', connection: `postgres://user:hunter2@${host}:${port}/app`, acquireConnectionTimeout: patience })
    return { store: sqlStore({ knex, timeout: patience }), close: () => knex.destroy() }
  }],
  ['knex with mysql2', 'MySQL', (host, port) => {
    const knex = createKnex({ client: 'mysql2', connection: { host, port, user: 'user', password: 'hunter2', connectTimeout: patience }, acquireConnectionTimeout: patience })
    return { store: sqlStore({ knex, timeout: patience }), close: () => knex.destroy() }
  }]
]

for (const [name, backend, open] of drivers) {
  test(`${name}: a call that takes too long names the backend and its address, without a password, and what to look at`, async (t) => {
    const server = await silentServer(t)
    const opened = open('127.0.0.1', portOf(server))
    const { store } = opened
    t.teardown(() => void opened.close())
    const events = recordEvents(t)
    const { id } = newRecord()
    const error = await t.throwsAsync(async () => new TimedStore(store, 200).read(id), { code: 'ERR_SESSION_TIMEOUT' })
    t.regex(error.message, new RegExp(`^the session store \\(${backend} at 127\\.0\\.0\\.1:${portOf(server)}\\) took over 200 ms to read a session: look at .*, or raise storeTimeout$`))
    t.false(error.message.includes('hunter2'))
    t.is(events.filter((event) => event.id === id).length, 1)
  })

  test(`${name}: a call to a server that is down names its host and port, also where the name has two addresses`, async (t) => {
    const server = await silentServer(t)
    const port = portOf(server)
    await new Promise((resolve) => void server.close(resolve))
    const opened = open('localhost', port)
    const { store } = opened
    t.teardown(() => void opened.close())
    const error = await t.throwsAsync(async () => new TimedStore(store, patience).read(newRecord().id), { code: 'ERR_SESSION_STORE' })
    t.true(error.message.includes(`localhost:${port}`), error.message)
    t.false(error.message.includes('hunter2'))
  })
}

const never = () => new Promise<never>(() => undefined)

test('a wrapped store of another library, and a store that others made with the kit, are named too', async (t) => {
  const messageOf = async (store: SessionStore) => (await t.throwsAsync(async () => new TimedStore(store, 20).read(newRecord().id), { code: 'ERR_SESSION_TIMEOUT' })).message
  t.regex(await messageOf(fromKoaSessionStore({ get: never, set: never, destroy: never })), /^the session store \(fromKoaSessionStore\(store\)\) took over 20 ms .*: look at the backend of the wrapped store/)
  t.regex(await messageOf(fromExpressStore({ get: () => undefined, set: () => undefined, destroy: () => undefined, createSession: () => undefined } as never)), /\(fromExpressStore\(store\)\)/)
  const own = createStore({ name: 'etcd', backend: () => ({ get: never, insert: never, replace: never, remove: never }) })
  t.regex(await messageOf(own), /^the session store \(etcd\) took over 20 ms to read a session: look at the backend, or raise storeTimeout$/)
})

async function silentServer(t: ExecutionContext): Promise<Server> {
  const sockets: Socket[] = []
  const server = createServer((socket) => void sockets.push(socket.on('error', () => undefined).resume())).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => {
    server.close()
    // A driver that still connects keeps its socket, and the process would not end.
    for (const socket of sockets) socket.destroy()
  })
  return server
}

function portOf(server: Server): number {
  return (server.address() as AddressInfo).port
}
