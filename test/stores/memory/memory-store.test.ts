import { execFile } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { promisify } from 'node:util'
import test from 'ava'
import { channelName, type SessionEvent } from '../../src/events.js'
import type { SessionRecord, SessionStore, StoreScope } from '../../src/store.js'
import { memoryStore } from '../../src/stores/memory.js'
import { storeConformance } from '../../src/testing.js'

storeConformance(test, (scope) => memoryStore().scope!(scope), { shared: false, parallel: 200 })

/** A record under the id that consists of one digit. */
function recordOf(digit: string, expires = 1000): SessionRecord {
  return { rev: 1, id: digit.repeat(64), created: 0, expires, permanent: false, data: { digit } }
}

function scopeAt(time: number, prefix = 'session:'): StoreScope & { time: number } {
  const scope = { prefix, time, now: () => scope.time }
  return scope
}

async function listed(store: SessionStore): Promise<SessionRecord[]> {
  const records: SessionRecord[] = []
  for await (const record of store.records!()) records.push(record)
  return records
}

/** How many turns of the event loop others have while something is done. */
async function turnsDuring(work: () => Promise<void>): Promise<number> {
  let turns = 0
  let done = false
  const count = () => void (done || setImmediate(() => (turns++, count())))
  count()
  await work()
  done = true
  return turns
}

function collect(t: { teardown: (fn: () => void) => void }): SessionEvent[] {
  const events: SessionEvent[] = []
  const listen = (event: unknown) => void events.push(event as SessionEvent)
  subscribe(channelName, listen)
  t.teardown(() => void unsubscribe(channelName, listen))
  return events
}

test.serial('over maxSessions the session that was written longest ago goes, and that is told', async (t) => {
  const store = memoryStore({ maxSessions: 2 }).scope!(scopeAt(0))
  const events = collect(t)
  for (const digit of ['1', '2']) await store.create(digit.repeat(64), recordOf(digit))
  await store.update('1'.repeat(64), (current) => current)
  t.deepEqual(events, [])
  await store.create('3'.repeat(64), recordOf('3'))
  t.deepEqual(events, [{ type: 'evict', id: '2'.repeat(64) }])
  t.is(await store.read('2'.repeat(64)), undefined)
  t.is((await store.read('1'.repeat(64)))?.rev, 2)
  t.is((await store.read('3'.repeat(64)))?.rev, 1)
})

test.serial('what has to make room and is expired is told as expired', async (t) => {
  const scope = scopeAt(0)
  const store = memoryStore({ maxSessions: 1 }).scope!(scope)
  const events = collect(t)
  await store.create('1'.repeat(64), recordOf('1', 10))
  scope.time = 10
  await store.create('2'.repeat(64), recordOf('2'))
  t.deepEqual(events, [{ type: 'expire', id: '1'.repeat(64) }])
})

test('what is rewritten while the records are listed is listed once', async (t) => {
  const store = memoryStore().scope!(scopeAt(0))
  for (const digit of ['1', '2', '3']) await store.create(digit.repeat(64), recordOf(digit))
  const seen: string[] = []
  for await (const { id } of store.records!()) {
    if (seen.push(id) > 3) break
    await store.update(id, (current) => current)
  }
  t.deepEqual(seen, ['1', '2', '3'].map((digit) => digit.repeat(64)))
})

test('while many sessions are listed or swept others have their turn', async (t) => {
  const scope = scopeAt(0)
  const store = memoryStore().scope!(scope)
  for (let at = 0; at < 5000; at++) await store.create(String(at).padStart(64, '0'), { ...recordOf('0', 10), id: String(at).padStart(64, '0') })
  const listing = await turnsDuring(async () => void t.is((await listed(store)).length, 5000))
  t.true(listing >= 4, `${listing} turns`)
  scope.time = 10
  const sweep = await turnsDuring(async () => void t.is(await store.prune!(), 5000))
  t.true(sweep >= 4, `${sweep} turns`)
})

test('who makes a session for each that is listed comes to an end', async (t) => {
  const store = memoryStore().scope!(scopeAt(0))
  for (const digit of ['1', '2', '3']) await store.create(digit.repeat(64), recordOf(digit))
  let made = 0
  for await (const { id } of store.records!()) {
    await store.destroy(id)
    const next = String(++made).padStart(64, 'a')
    await store.create(next, { ...recordOf('4'), id: next })
    if (made > 10) break
  }
  t.true(made <= 3, String(made))
})

test('a sweep removes nothing that was made anew meanwhile', async (t) => {
  const scope = scopeAt(0)
  const store = memoryStore().scope!(scope)
  await store.create('1'.repeat(64), recordOf('1', 10))
  scope.time = 10
  const [removed, made] = await Promise.all([store.prune!(), store.create('1'.repeat(64), recordOf('1', 1000))])
  t.true(made)
  t.true(removed <= 1)
  t.deepEqual(await store.read('1'.repeat(64)), recordOf('1', 1000))
})

test('an id that is taken does not push another session out', async (t) => {
  const store = memoryStore({ maxSessions: 2 }).scope!(scopeAt(0))
  for (const digit of ['1', '2']) await store.create(digit.repeat(64), recordOf(digit))
  t.false(await store.create('2'.repeat(64), recordOf('2')))
  t.is((await store.read('1'.repeat(64)))?.rev, 1)
})

test('with maxSessions 0 there is no limit', async (t) => {
  const store = memoryStore({ maxSessions: 0 }).scope!(scopeAt(0))
  const ids = Array.from({ length: 300 }, (_, at) => String(at).padStart(64, '0'))
  for (const id of ids) await store.create(id, { ...recordOf('0'), id })
  for (const id of ids) t.not(await store.read(id), undefined)
})

test('maxSessions counts the sessions of all scopes together', async (t) => {
  const whole = memoryStore({ maxSessions: 1 })
  const [one, two] = [whole.scope!(scopeAt(0, 'one:')), whole.scope!(scopeAt(0, 'two:'))]
  await one.create('1'.repeat(64), recordOf('1'))
  await two.create('1'.repeat(64), recordOf('1'))
  t.is(await one.read('1'.repeat(64)), undefined)
  t.is((await two.read('1'.repeat(64)))?.rev, 1)
})

test('of all scopes the session that was written longest ago goes', async (t) => {
  const whole = memoryStore({ maxSessions: 2 })
  const [one, two] = [whole.scope!(scopeAt(0, 'one:')), whole.scope!(scopeAt(0, 'two:'))]
  await one.create('1'.repeat(64), recordOf('1'))
  await two.create('2'.repeat(64), recordOf('2'))
  await one.update('1'.repeat(64), (current) => current)
  await one.create('3'.repeat(64), recordOf('3'))
  t.is(await two.read('2'.repeat(64)), undefined)
  t.is((await one.read('1'.repeat(64)))?.rev, 2)
  t.is((await one.read('3'.repeat(64)))?.rev, 1)
})

test('two prefixes of one store are apart, also where one starts with the other', async (t) => {
  const whole = memoryStore()
  const clocks = [scopeAt(0, 'a'), scopeAt(0, 'a1')] as const
  const [short, long] = [whole.scope!(clocks[0]), whole.scope!(clocks[1])]
  await long.create('1'.repeat(64), recordOf('1', 10))
  await short.create('2'.repeat(64), recordOf('2', 10))
  t.deepEqual(await listed(short), [recordOf('2', 10)])
  t.deepEqual(await listed(long), [recordOf('1', 10)])
  clocks[0].time = 10
  t.is(await short.prune!(), 1, 'each by its own clock')
  t.deepEqual(await long.read('1'.repeat(64)), recordOf('1', 10))
})

test('expired sessions are swept without being asked for', async (t) => {
  const scope = scopeAt(0)
  const store = memoryStore({ sweepEvery: 5 }).scope!(scope)
  const others = memoryStore({ sweepEvery: 1e12 }).scope!(scope)
  for (const each of [store, others]) await each.create('1'.repeat(64), recordOf('1', 10))
  // Time goes back for looking: what is still held is seen again then, without a call that could itself remove it.
  let held: unknown
  for (let tries = 0; tries === 0 || (held !== undefined && tries < 200); tries++) {
    scope.time = 10
    await new Promise((resolve) => setTimeout(resolve, 10))
    scope.time = 0
    held = await store.read('1'.repeat(64))
  }
  t.is(held, undefined)
  t.deepEqual(await others.read('1'.repeat(64)), recordOf('1', 10), 'an interval above the longest of timers is not taken for 1 ms')
})

test('closing one scope closes the store', async (t) => {
  const whole = memoryStore()
  const [one, two] = [whole.scope!(scopeAt(0, 'one:')), whole.scope!(scopeAt(0, 'two:'))]
  await two.close!()
  const error = { code: 'ERR_SESSION_STORE', message: 'the memory store is closed: make a new one to go on' }
  await t.throwsAsync(one.read('1'.repeat(64)), error)
  await t.throwsAsync(whole.read('1'.repeat(64)), error)
})

test('a recipe that keeps changing its own record ends with a conflict', async (t) => {
  const store = memoryStore().scope!(scopeAt(0))
  await store.create('1'.repeat(64), recordOf('1'))
  const inner: Promise<unknown>[] = []
  const error = await t.throwsAsync(
    store.update('1'.repeat(64), (current) => {
      inner.push(store.update('1'.repeat(64), (again) => again))
      return current
    })
  )
  t.like(error, { code: 'ERR_SESSION_CONFLICT' })
  await Promise.all(inner)
  t.is((await store.read('1'.repeat(64)))?.rev, 1 + inner.length)
})

test('a process ends although the store was not closed', async (t) => {
  const script = `
    import { memoryStore } from './src/stores/memory.ts'
    await memoryStore().create('x', { rev: 1, id: 'x', created: 0, expires: 8e15, permanent: false, data: {} })
    console.log('stored')
  `
  const { stdout } = await promisify(execFile)(process.execPath, ['--import=tsx', '--input-type=module', '-e', script], { timeout: 20_000 })
  t.is(stdout, 'stored\n')
})

const wrong: readonly [object, string][] = [
  [{ maxSession: 1 }, 'memoryStore(options): unknown option "maxSession"; known are maxSessions, sweepEvery'],
  [{ maxSessions: -1 }, 'memoryStore(options): maxSessions must be a whole number (0 = no limit), got -1'],
  [{ maxSessions: '5' }, 'memoryStore(options): maxSessions must be a whole number (0 = no limit), got a string'],
  [{ sweepEvery: 0 }, 'memoryStore(options): sweepEvery must be a number of milliseconds above 0, got 0']
]
for (const [options, message] of wrong) {
  test(`refused: ${message}`, (t) => {
    t.throws(() => memoryStore(options), { instanceOf: TypeError, message })
  })
}
