import test from 'ava'
import { redisStore, type RedisStoreOptions } from '../../../src/stores/redis/index.js'
import { newRecord } from '../../support/new-record.js'

test('a client with callbacks, or with types of its own, is an error and never "no session"', async (t) => {
  for (const answer of [undefined, 2, true]) {
    const reply = async () => answer
    const store = redisStore({ client: { get: reply, set: reply, evalSha: reply, eval: reply } })
    const record = newRecord()
    const expected = { code: 'ERR_SESSION_STORE', message: /a client with promises/ }
    await t.throwsAsync(async () => store.read(record.id), expected)
    await t.throwsAsync(async () => store.create(record.id, record), expected)
    await t.throwsAsync(async () => store.destroy(record.id), expected)
    await t.throwsAsync(async () => store.update(record.id, (current) => current, record), expected)
  }
})

test('the error for a client that was never connected says so', async (t) => {
  const { createClient } = await import('redis')
  await t.throwsAsync(async () => redisStore({ client: createClient() }).read(newRecord().id), { code: 'ERR_SESSION_STORE', message: /client\.connect\(\)/ })
})

test('anything but a client of Redis is refused, and the error says what is expected', (t) => {
  const callbacks = Object.fromEntries(['get', 'set', 'getdel', 'evalsha', 'eval', 'multi'].map((name) => [name, () => true]))
  const wrong: [unknown, RegExp][] = [
    [undefined, /client must be a client of redis 4\.6 or later.*ioredis 5 or later.*got undefined/],
    ['redis://localhost', /for a URL, use storeFromUrl.*got a string/],
    [Promise.resolve(), /await the promise first/],
    [{}, /got an object/],
    [null, /got null/],
    // Stand-ins with the methods of these two, which are not installed here.
    [{ ...callbacks, internal_send_command() {}, on() {} }, /this is redis 3, whose methods take callbacks: npm install redis@latest/],
    [{ ...callbacks, pipeline() {} }, /looks like @upstash\/redis, which talks HTTP.*use redis or ioredis with the database's rediss:\/\/ URL/]
  ]
  for (const [client, message] of wrong) {
    t.throws(() => redisStore({ client } as RedisStoreOptions), { instanceOf: TypeError, message })
  }
  const client = { get: resolved, set: resolved, evalSha: resolved, eval: resolved }
  t.notThrows(() => redisStore({ client, waitReplicas: undefined }))
  t.throws(() => redisStore({ client, waitReplicas: -1 }), { instanceOf: TypeError, message: /waitReplicas must be a whole number/ })
  t.throws(() => redisStore({ client, waitTimeout: 0 }), { instanceOf: TypeError, message: /waitTimeout must be a whole number of milliseconds/ })
  t.throws(() => redisStore({ client, wait: 1 } as RedisStoreOptions), { instanceOf: TypeError, message: /unknown option "wait"/ })
  t.throws(() => redisStore({ client: 1, wait: 1, waitReplicas: -1 } as unknown as RedisStoreOptions), { instanceOf: TypeError, message: /unknown option "wait".*; client must be .*, got 1; waitReplicas must be .*, got -1; known are/ })
  t.throws(() => redisStore(undefined as unknown as RedisStoreOptions), { instanceOf: TypeError, message: /expected an object of options/ })
})

test('a client in place of the options is an error that shows what to write', async (t) => {
  const { createClient } = await import('redis')
  const { Redis, Cluster } = await import('ioredis')
  const clients = [createClient(), new Redis({ lazyConnect: true }), new Cluster([7000], { lazyConnect: true }), { get: resolved, set: resolved }]
  for (const client of clients) {
    t.throws(() => redisStore(client as unknown as RedisStoreOptions), { instanceOf: TypeError, message: /got a client: write redisStore\(\{ client \}\)/ })
  }
})

async function resolved(): Promise<null> {
  return null
}
