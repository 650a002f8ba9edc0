import { readFileSync } from 'node:fs'
import test from 'ava'
import { Redis } from 'ioredis'
import type { Context } from 'koa'
import { fromFlaskSession, type Bridge, type FlaskSessionBridgeOptions } from '../../src/migrating/index.js'
import type { BytesStore } from '../../src/migrating/redis-bytes.js'
import type { Cleanup } from '../support/app.js'
import { drivers } from '../support/redis-drivers.js'
import { needsRedis, startRedis, type RedisServer } from '../support/redis.js'
import { day, minute, secret, startStory } from '../support/story.js'
import { recordWarnings } from '../support/warnings.js'

// Records and cookies that Flask-Session 0.8 wrote itself.

interface OldRecord {
  readonly name: string
  readonly signed: boolean
  readonly key: string
  readonly cookie: string
  readonly valueBase64: string
}

const { secretKey, records } = JSON.parse(readFileSync(new URL('fixtures/flask-session.json', import.meta.url), 'utf8')) as {
  secretKey: string
  records: OldRecord[]
}
const until = new Date(Date.UTC(2026, 1, 1))
const named = (name: string): OldRecord => records.find((record) => record.name === name)!

/** A store that holds the fixtures, and counts what it is asked. */
function fixtureStore(): BytesStore & { bytes: Map<string, Uint8Array>; gets: string[] } {
  const bytes = new Map(records.map(({ key, valueBase64 }) => [key, Buffer.from(valueBase64, 'base64')]))
  const gets: string[] = []
  return {
    bytes,
    gets,
    get(key) {
      gets.push(key)
      return bytes.get(key)
    },
    destroy: (key) => bytes.delete(key)
  }
}

const routes = {
  '/': (ctx: Context) => JSON.stringify({ ...(ctx.session as object), permanent: ctx.session.permanent, owner: ctx.session.owner }, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value)),
  '/dates': (ctx: Context) => ['datetime_utc', 'datetime_offset', 'bytes'].map((key) => Object.prototype.toString.call(ctx.session[key]))
}

function startFlask(t: Cleanup, migrate: Bridge) {
  return startStory(t, routes, { migrate, now: () => Date.UTC(2026, 0, 1) })
}

/** What a user of the Flask application sees in the new one. */
async function dataOf(t: Cleanup, { cookie, signed, key }: OldRecord, options: Partial<FlaskSessionBridgeOptions> = {}): Promise<Record<string, unknown>> {
  const prefix = key.slice(0, key.lastIndexOf(':') + 1)
  const { client } = await startFlask(t, fromFlaskSession({ store: fixtureStore(), until, prefix, ...(signed && { secretKey }), ...options }))
  client.keep(`session=${cookie}; Path=/; HttpOnly`)
  return (await client.get('/')).json as Record<string, unknown>
}

const basic = {
  string: 'grüße ☕ 🍵', int: 42, float: 3.25, list: ['tea', 1, [2.5, null]], dict: { nested: { deep: true }, n: 7 },
  datetime_naive: '2026-01-02T03:04:05.678901', true: true, false: false, none: null, permanent: true
}

for (const name of ['basic-msgpack-unsigned', 'basic-msgpack-signed', 'basic-json-unsigned', 'basic-json-signed']) {
  test(`a user of Flask-Session stays logged in: ${name}`, async (t) => {
    t.like(await dataOf(t, named(name)), basic)
  })
}

test('in msgpack, aware times are dates without their microseconds, and bytes are bytes', async (t) => {
  const { client } = await startFlask(t, fromFlaskSession({ store: fixtureStore(), until }))
  client.keep(`session=${named('basic-msgpack-unsigned').cookie}; Path=/`)
  t.deepEqual((await client.get('/dates')).json, ['[object Date]', '[object Date]', '[object Uint8Array]'])
  t.like((await client.get('/')).json, { datetime_utc: '2026-01-02T03:04:05.678Z', datetime_offset: '2026-01-02T01:04:05.000Z' })
})

test('in JSON, times are the texts that Flask-Session wrote', async (t) => {
  t.like(await dataOf(t, named('basic-json-unsigned')), { datetime_utc: '2026-01-02T03:04:05.678901Z', bytes: 'AP8Qa2VlcHNha2U=' })
})

test('integers that a number cannot hold are bigints, and all others are numbers', async (t) => {
  t.like(await dataOf(t, named('extra-without-proto-msgpack')), {
    neg_int: -5, int_2_53_plus_1: '9007199254740993n', int64_min: '-9223372036854775808n', uint64_max: '18446744073709551615n', float_whole: 5,
    _user_id: '17', _fresh: true, _flashes: [['info', 'Hello']], csrf_token: 'ab12', tuple: [1, 'two']
  })
})

test('keys of dictionaries are texts; NaN and infinity are null, as in Flask-Session’s JSON', async (t) => {
  for (const format of ['msgpack', 'json']) {
    t.deepEqual((await dataOf(t, named(`int-keys-${format}`)))['dict_int_keys'], { 1: 'one', 2: 'two' })
    t.like(await dataOf(t, named(`nan-${format}`)), { nan: null, inf: null })
    t.like(await dataOf(t, named(`empties-${format}`)), { e: {}, l: [] })
  }
})

test('a key __proto__ is data in JSON; the msgpack decoder refuses such a record, and a warning says so', async (t) => {
  const warnings = recordWarnings(t, /the bridge "flask-session" found a record/)
  t.deepEqual(Object.keys((await dataOf(t, named('extra-json')))['proto'] as object), ['__proto__', 'constructor'])
  t.is((await dataOf(t, named('extra-msgpack')))['csrf_token'], undefined)
  t.is(warnings.length, 1)
})

test('permanent is as it was in Flask', async (t) => {
  for (const format of ['msgpack', 'json']) {
    t.deepEqual(await dataOf(t, named(`explicit-non-permanent-${format}`)), { user: 'momo', permanent: false })
    t.deepEqual(await dataOf(t, named(`config-non-permanent-${format}`)), { user: 'momo', permanent: false })
    t.deepEqual(await dataOf(t, named(`prefix-${format}`)), { user: 'momo', permanent: true })
    t.deepEqual(await dataOf(t, named(`id-length-16-${format}`)), { user: 'momo', permanent: true })
  }
})

test('Flask-Login’s user becomes the owner, and convert changes the data', async (t) => {
  const options: Partial<FlaskSessionBridgeOptions> = {
    owner: (data) => data['_user_id'] as string | undefined,
    convert: ({ csrf_token: csrf }) => ({ csrf })
  }
  t.deepEqual(await dataOf(t, named('extra-without-proto-msgpack'), options), { csrf: 'ab12', owner: '17', permanent: true })
})

test('with a secret key, a cookie without its signature opens nothing and is not looked up', async (t) => {
  const { cookie } = named('basic-msgpack-signed')
  const [sid, signature] = cookie.split('.') as [string, string]
  const another = named('basic-json-signed').cookie.split('.')[1]!
  const forged = [sid, `${sid}.`, `${sid}.${another}`, `${sid}.${signature}x`, `${sid}.${signature.slice(0, -1)}`, `x${cookie}`, `.${signature}`, named('basic-msgpack-unsigned').cookie]
  for (const value of forged) {
    const store = fixtureStore()
    const { client } = await startFlask(t, fromFlaskSession({ store, secretKey, until }))
    client.keep(`session=${value}; Path=/`)
    t.is((await client.get('/')).text, '{"permanent":false}')
    t.deepEqual(store.gets, [], value)
  }
  const { client } = await startFlask(t, fromFlaskSession({ store: fixtureStore(), secretKey: 'another secret key', until }))
  client.keep(`session=${cookie}; Path=/`)
  t.is((await client.get('/')).text, '{"permanent":false}')
})

test('without a secret key, only what can be a sid is looked up', async (t) => {
  const store = fixtureStore()
  const { client } = await startFlask(t, fromFlaskSession({ store, until }))
  for (const value of ['', 'a:b', 'a/../b', 'é', 'x'.repeat(513), 'a b']) await client.get('/', { headers: { cookie: `session=${encodeURI(value)}` } })
  t.deepEqual(store.gets, [])
})

test('a record that is pickled, torn or no dictionary is no session, and never an error', async (t) => {
  for (const value of [Buffer.from('\x80\x04}\x94.', 'latin1'), Buffer.from('{"a"'), Buffer.from([0x93, 1, 2, 3]), Buffer.from([0x82]), Buffer.from('[]'), Buffer.from('')]) {
    const store = fixtureStore()
    const { key, cookie } = named('basic-json-unsigned')
    store.bytes.set(key, value)
    const { client } = await startFlask(t, fromFlaskSession({ store, until }))
    client.keep(`session=${cookie}; Path=/`)
    t.like(await client.get('/'), { status: 200, text: '{"permanent":false}' })
  }
})

test('wrong options are refused', (t) => {
  const store = fixtureStore()
  const wrong: [object, RegExp][] = [
    [{ until }, /store must be/],
    [{ until, client: {} }, /client must be/],
    [{ until, client: { get: () => null, del: () => null } }, /client must be/],
    [{ until, store, secretKey: '' }, /secretKey must be/],
    [{ until, store, format: 'pickle' }, /format must be/],
    [{ until: 'soon', store }, /until must be a valid Date/],
    [{ until, store, useSigner: true }, /unknown option "useSigner"/],
    [{ until, store, owner: 'x' }, /owner must be/],
    [{ until, store, convert: 'x' }, /convert must be/]
  ]
  for (const [options, message] of wrong) t.throws(() => fromFlaskSession(options as FlaskSessionBridgeOptions), { instanceOf: TypeError, message })
  t.notThrows(() => fromFlaskSession({ until, store, format: 'json' }))
})

const redisTest = needsRedis(test)
let server: RedisServer
redisTest.before(async () => {
  server = await startRedis()
})
redisTest.after.always(() => server?.stop())

for (const driver of drivers) {
  redisTest(`the records are read from Redis and removed there: ${driver.name}`, async (t) => {
    const { client: redis, close } = await driver.connect(server.url)
    t.teardown(close)
    const raw = new Redis(server.url)
    t.teardown(() => raw.disconnect())
    const { key, cookie, valueBase64 } = named('basic-msgpack-signed')
    const prefix = `${driver.name}:`
    const ownKey = key.replace('session:', prefix)
    await raw.set(ownKey, Buffer.from(valueBase64, 'base64'))

    const { client, time } = await startStory(t, routes, { keys: [secret], name: 'sid', migrate: fromFlaskSession({ client: redis as never, secretKey, prefix, until }) })
    client.keep(`session=${cookie}; Path=/`)
    t.like((await client.get('/')).json, basic)
    time.pass(minute)
    t.like((await client.get('/')).json, basic)
    t.is(client.cookie('session'), undefined)
    t.is(await raw.get(ownKey), null)
    time.pass(day)
    t.like((await client.get('/')).json, basic)
  })
}
