import { hash } from 'node:crypto'
import test from 'ava'
import { redisStore, type RedisClient } from '../../../src/stores/redis/index.js'
import type { SessionRecord, SessionStore } from '../../../src/store/index.js'
import type { Cleanup } from '../../support/app.js'
import { createGate } from '../../support/gate.js'
import { drivers, type Driver } from '../../support/redis-drivers.js'
import { newRecord } from '../../support/new-record.js'
import { keyOf, list, withKey } from '../../support/redis-records.js'
import { newest } from '../../support/redis-store.js'
import { commandCounts, needsRedis, startRedis } from '../../support/redis.js'

const redisTest = needsRedis(test)
const hour = 3_600_000

for (const driver of drivers) {
  redisTest(`${driver.name}: a login costs one command more, a save only when the deadline has moved to another hour, a read none`, async (t) => {
    const { server, store } = await start(t, driver)
    const warm = newRecord({}, { owner: 'nobody' })
    await store.create(warm.id, warm)
    await store.update(warm.id, withKey('a', 1))
    await store.destroy(warm.id)
    const counted = async (work: () => unknown) => {
      await server.cli('CONFIG', 'RESETSTAT')
      await work()
      const { get = 0, set = 0, evalsha = 0 } = await commandCounts(server)
      return { get, set, evalsha }
    }
    const expires = (Math.floor(Date.now() / hour) + 30) * hour
    const record = newRecord({}, { owner: 'momo', expires })
    t.deepEqual(await counted(() => store.create(record.id, record)), { get: 0, set: 1, evalsha: 1 })
    t.deepEqual(await counted(() => store.read(record.id)), { get: 1, set: 0, evalsha: 0 })
    // One of each is inside the script of the save.
    const moveTo = (deadline: number) => () => store.update(record.id, (current) => ({ ...current, expires: deadline }), record)
    t.deepEqual(await counted(moveTo(expires + hour - 1)), { get: 1, set: 1, evalsha: 1 })
    const read = (await store.read(record.id))!
    t.deepEqual(await counted(() => store.update(record.id, (current) => ({ ...current, expires: expires + hour }), read)), { get: 1, set: 1, evalsha: 2 })
    const anonymous = newRecord()
    await store.create(anonymous.id, anonymous)
    t.deepEqual(await counted(() => store.update(anonymous.id, (current) => ({ ...current, owner: 'momo' }), anonymous)), { get: 1, set: 1, evalsha: 2 })
    t.deepEqual((await owned(store, 'momo')).length, 2)
  })

  redisTest(`${driver.name}: the index outlives every session in it, whichever client writes last`, async (t) => {
    const { server, store, client } = await start(t, driver)
    const ttl = async (key: string) => Number(await server.cli('PTTL', key))
    const index = indexOf('momo')
    const long = newRecord({}, { owner: 'momo', expires: Date.now() + 1000 * hour })
    const short = newRecord({}, { owner: 'momo', expires: Date.now() + hour })
    for (const record of [short, long, newRecord({}, { owner: 'momo', expires: Date.now() + hour })]) {
      await store.create(record.id, record)
      t.true((await ttl(index)) > (await ttl(keyOf(record))))
    }
    t.true((await ttl(index)) > (await ttl(keyOf(long))))
    const score = () => server.cli('ZSCORE', index, long.id)
    const before = await score()
    // Another process has read the record before its deadline moved, and writes its entry late.
    const stale = redisStore({ client: onlyFor(client, 'evalsha') })
    await t.throwsAsync(async () => stale.update(long.id, (current) => ({ ...current, owner: 'momo', expires: Date.now() + hour }), { ...long, owner: 'kim' }))
    t.is(await score(), before, 'its entry is not shortened')
  })

  redisTest(`${driver.name}: entries end with their sessions, and those of a process that died end by themselves`, async (t) => {
    const { server, store } = await start(t, driver)
    const records = Array.from({ length: 4 }, () => newRecord({}, { owner: 'momo' }))
    for (const record of records) await store.create(record.id, record)
    await store.destroy(records[0]!.id)
    await store.update(records[1]!.id, () => null)
    await store.update(records[2]!.id, (current) => ({ ...current, moved: true, data: {} }))
    t.is(await server.cli('ZRANGE', indexOf('momo'), '0', '-1'), `${records[3]!.id}\n`)
    // What is left of a process that died before it stored the record, hours ago.
    await server.cli('ZADD', indexOf('momo'), String(Date.now() - 2000), newRecord().id)
    t.deepEqual(await owned(store, 'momo'), [records[3]])
    t.is(await server.cli('ZCARD', indexOf('momo')), '1\n')
    await server.cli('ZADD', indexOf('momo'), String(Date.now() - 2000), newRecord().id)
    const next = newRecord({}, { owner: 'momo' })
    await store.create(next.id, next)
    t.is(await server.cli('ZCARD', indexOf('momo')), '2\n')
    await store.destroy(records[3]!.id)
    await store.destroy(next.id)
    t.is(await server.cli('EXISTS', indexOf('momo')), '0\n')
  })
}

for (const driver of newest) {
  redisTest(`${driver.name}: a process that dies before any of its commands leaves no session that its owner does not list`, async (t) => {
    const { server, client, store } = await start(t, driver)
    // Every other crash comes before the answer of a command that was carried out.
    for (let crash = 0; crash < 32; crash++) {
      const owner = `owner ${crash}`
      const dying = redisStore({ client: dyingAfter(client, Math.floor(crash / 2), crash % 2 === 0) })
      const [born, login] = [newRecord({}, { owner }), newRecord()]
      await store.create(login.id, login)
      const work = async () => {
        await dying.create(born.id, born)
        await dying.update(login.id, (current) => ({ ...current, owner }), login)
        await dying.update(login.id, (current) => ({ ...current, expires: current.expires + 10 * hour }))
        await dying.destroy(born.id)
        await dying.update(login.id, (current) => ({ ...current, moved: true, data: {} }))
      }
      await work().catch(() => undefined)
      const listed = new Set((await owned(store, owner)).map(({ id }) => id))
      for (const { id } of [born, login]) {
        const stored = await store.read(id)
        t.is(listed.has(id), stored?.owner === owner && !stored.moved, `crash ${crash}`)
      }
    }
    t.is(await server.cli('PING'), 'PONG\n')
  })

  redisTest(`${driver.name}: a listing between a login's two commands does not take the entry away`, async (t) => {
    const { client, store } = await start(t, driver)
    const gate = createGate()
    const slow = redisStore({ client: holding(client, 'set', () => gate.pass()) })
    const record = newRecord({}, { owner: 'momo' })
    const login = slow.create(record.id, record)
    await gate.reached()
    t.deepEqual(await owned(store, 'momo'), [])
    t.deepEqual(await owned(store, 'momo'), [])
    gate.open()
    t.true(await login)
    t.deepEqual(await owned(store, 'momo'), [record])
  })

  redisTest(`${driver.name}: no key and no pattern holds an owner's text`, async (t) => {
    const { server, store } = await start(t, driver)
    const owner = 'momo*@example.com'
    const record = newRecord({}, { owner })
    await store.create(record.id, record)
    t.deepEqual(await owned(store, owner), [record])
    t.deepEqual((await server.cli('KEYS', '*')).trim().split('\n').sort(), [indexOf(owner), keyOf(record)].sort())
  })

  redisTest(`${driver.name}: a prefix whose keys look like those of the index lists no index`, async (t) => {
    const { store } = await start(t, driver)
    const record = newRecord({}, { owner: 'momo' })
    await store.create(record.id, record)
    t.deepEqual(await list(store.records!()), [record])
    t.deepEqual(await list(store.scope!({ prefix: 'session:owner:', now: Date.now, largest: 10_000 }).records!()), [])
  })

  redisTest(`${driver.name}: ten thousand owners with a session each, and one owner with ten thousand, are each listed whole`, async (t) => {
    const { store } = await start(t, driver)
    const many = 10_000
    const ids = new Set<string>()
    for (let at = 0; at < many; at += 500) {
      const page = Array.from({ length: 500 }, (_, index) => [newRecord({}, { owner: `owner ${at + index}` }), newRecord({}, { owner: 'momo' })]).flat()
      await Promise.all(page.map(async (record) => store.create(record.id, record)))
      for (const { id, owner } of page) if (owner === 'momo') ids.add(id)
    }
    t.is((await owned(store, 'momo')).filter(({ id }) => ids.delete(id)).length, many)
    t.is(ids.size, 0)
    for (let at = 0; at < many; at += 997) t.is((await owned(store, `owner ${at}`)).length, 1)
    let ended = 0
    for await (const { id } of store.ownedBy!('momo')) if (await store.destroy(id)) ended++
    t.is(ended, many)
    t.deepEqual(await owned(store, 'momo'), [])
  })
}

redisTest("an owner's sessions are listed by the application's clock, whatever the server's clock says", async (t) => {
  const { store } = await start(t, newest[0]!)
  for (const days of [-400, 400]) {
    const now = () => Date.now() + days * 24 * hour
    const skewed = store.scope!({ prefix: `skewed${days}:`, now, largest: 10_000 })
    const record = newRecord({}, { owner: 'momo', created: now(), used: now(), expires: now() + 60_000 })
    await skewed.create(record.id, record)
    t.deepEqual(await owned(skewed, 'momo'), [record])
  }
})

async function start(t: Cleanup, driver: Driver) {
  const server = await startRedis()
  const { client, close } = await driver.connect(server.url)
  t.teardown(async () => {
    close()
    await server.stop()
  })
  return { server, client, store: redisStore({ client }) }
}

async function owned(store: SessionStore, owner: string): Promise<SessionRecord[]> {
  return list(store.ownedBy!(owner))
}

function indexOf(owner: string): string {
  return `session:owner:${hash('sha256', owner)}`
}

/** A client whose process dies after so many commands: it sends no more. The last one was carried out or not. */
function dyingAfter(client: RedisClient, commands: number, isCarriedOut: boolean): RedisClient {
  let left = commands
  return wrapped(client, async (_name, send) => {
    if (left-- > 0) return send()
    if (left === -1 && isCarriedOut) await send()
    throw new Error('the process has died')
  })
}

/** A client that sends only the first command of that name (in any case), and then nothing. */
function onlyFor(client: RedisClient, name: string): RedisClient {
  let isOver = false
  return wrapped(client, async (method, send) => {
    if (isOver || method.toLowerCase() !== name) throw new Error('this client sends no more')
    isOver = true
    return send()
  })
}

/** A client whose commands of that name wait before they are sent. */
function holding(client: RedisClient, name: string, wait: () => Promise<void>): RedisClient {
  return wrapped(client, async (method, send) => {
    if (method === name) await wait()
    return send()
  })
}

function wrapped(client: RedisClient, around: (name: string, send: () => Promise<unknown>) => Promise<unknown>): RedisClient {
  const commands = new Set(['get', 'set', 'eval', 'evalsha', 'evalSha'])
  return new Proxy(client, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property)
      const name = String(property)
      if (typeof value !== 'function') return value
      // Each stand-in would add listeners of its own to the client.
      if (name === 'withCommandOptions' || name === 'on') return undefined
      if (!commands.has(name)) return value.bind(target) as unknown
      return (...args: unknown[]) => around(name, async () => Reflect.apply(value, target, args) as unknown)
    }
  })
}
