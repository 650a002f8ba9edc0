import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import test from 'ava'
import { graceAfterDeadline, isPromise, type SessionRecord, type SessionStore, type StoreScope } from '../../../src/store/index.js'
import { memoryStore } from '../../../src/stores/memory/index.js'
import { recordEvents } from '../../support/events.js'
import { runTypeScript } from '../../support/typescript/option.js'

/** A record under the id that consists of one digit. */
function recordOf(digit: string, expires = 1000, owner?: string): SessionRecord {
  const record = { rev: 1, write: `w${digit}`, id: digit.repeat(64), created: 0, used: 0, expires, permanent: false, data: { digit } }
  return owner === undefined ? record : { ...record, owner }
}

function scopeAt(time: number, prefix = 'session:'): StoreScope & { time: number } {
  const scope = { prefix, time, now: () => scope.time, largest: Infinity }
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

test.serial('over maxSessions the session that was written longest ago is removed, and an event reports it', async (t) => {
  const store = memoryStore({ maxSessions: 2 }).scope!(scopeAt(0))
  const events = recordEvents(t)
  for (const digit of ['1', '2']) await store.create(digit.repeat(64), recordOf(digit))
  await store.update('1'.repeat(64), (current) => current)
  t.deepEqual(events, [])
  await store.create('3'.repeat(64), recordOf('3'))
  t.deepEqual(events, [{ type: 'evict', id: '2'.repeat(64) }])
  t.is(await store.read('2'.repeat(64)), undefined)
  t.is((await store.read('1'.repeat(64)))?.rev, 2)
  t.is((await store.read('3'.repeat(64)))?.rev, 1)
})

test.serial('an expired session that makes room is reported as expired', async (t) => {
  const scope = scopeAt(0)
  const store = memoryStore({ maxSessions: 1 }).scope!(scope)
  const events = recordEvents(t)
  await store.create('1'.repeat(64), recordOf('1', 10))
  scope.time = 10
  await store.create('2'.repeat(64), recordOf('2'))
  t.deepEqual(events, [{ type: 'expire', id: '1'.repeat(64) }])
})

test('the store answers values, not promises', (t) => {
  const store = memoryStore()
  const record = recordOf('1', Date.now() + 1000)
  t.is(store.create(record.id, record), true)
  t.is(store.read(record.id), record, 'nobody changes a record, so the store keeps and gives out the very object')
  const written = store.update(record.id, (current) => ({ ...current, data: {} }))
  t.false(isPromise(written))
  t.deepEqual(store.destroy(record.id), written ?? undefined)
})

test.serial('sessions without an owner make room before owned ones, and among the owned the one that was written longest ago', async (t) => {
  const scope = scopeAt(0)
  const store = memoryStore({ maxSessions: 3 }).scope!(scope)
  const events = recordEvents(t)
  for (const [digit, owner] of [['1', 'momo'], ['2', undefined], ['3', 'momo']] as const) void store.create(digit.repeat(64), recordOf(digit, 1000, owner))
  for (const digit of ['4', '5', '6']) void store.create(digit.repeat(64), recordOf(digit))
  t.deepEqual(events.map(({ id }) => id?.[0]), ['2', '4', '5'], 'visitors without a login push out only each other')
  void store.update('6'.repeat(64), (current) => ({ ...current, owner: 'kim' }))
  void store.create('7'.repeat(64), recordOf('7'))
  t.is(events.at(-1)?.id?.[0], '5', 'a visitor removes no user: the store holds one session more')
  void store.update('3'.repeat(64), (current) => ({ ...current, moved: true, data: {} }))
  void store.create('8'.repeat(64), recordOf('8'))
  t.is(events.at(-1)?.id?.[0], '7', 'the next visitor takes the place of the first')
  void store.create('9'.repeat(64), recordOf('9', 1000, 'lin'))
  t.deepEqual(events.slice(-2).map(({ id }) => id?.[0]), ['8', '1'], 'a login removes visitors first, and then the user whose session was written longest ago')
  t.deepEqual((await listed(store)).map(({ id }) => id[0]), ['6', '9'])
})

test('a session that is rewritten while thousands are listed is listed once, also when others come and go', async (t) => {
  const store = memoryStore().scope!(scopeAt(0))
  const ids = Array.from({ length: 3000 }, (_, at) => String(at).padStart(64, '0'))
  for (const id of ids) void store.create(id, { ...recordOf('0'), id })
  const seen: string[] = []
  for await (const { id } of store.records!()) {
    seen.push(id)
    const at = seen.length
    if (at > 1000) continue
    for (const each of [at, at + 1000, at + 1500]) void store.update(ids[each]!, (current) => current)
    void store.create(String(at).padStart(64, 'f'), { ...recordOf('f'), id: String(at).padStart(64, 'f') })
    if (at % 2 === 0) void store.destroy(ids[2600 + (at % 300)]!)
  }
  const kept = ids.filter((id) => store.read(id) !== undefined)
  t.is(new Set(seen).size, seen.length, 'none is listed twice')
  t.deepEqual(kept.filter((id) => !seen.includes(id)), [], 'none is missed')
})

test('a session that is rewritten while the records are listed is listed once', async (t) => {
  const store = memoryStore().scope!(scopeAt(0))
  for (const digit of ['1', '2', '3']) await store.create(digit.repeat(64), recordOf(digit))
  const seen: string[] = []
  for await (const { id } of store.records!()) {
    if (seen.push(id) > 3) break
    await store.update(id, (current) => current)
  }
  t.deepEqual(seen, ['1', '2', '3'].map((digit) => digit.repeat(64)))
})

test('while many sessions are listed or removed, other work gets its turns', async (t) => {
  const scope = scopeAt(0)
  const store = memoryStore().scope!(scope)
  for (let at = 0; at < 5000; at++) await store.create(String(at).padStart(64, '0'), { ...recordOf('0', 10), id: String(at).padStart(64, '0') })
  const listing = await turnsDuring(async () => void t.is((await listed(store)).length, 5000))
  t.true(listing >= 4, `${listing} turns`)
  scope.time = 10 + graceAfterDeadline
  const sweep = await turnsDuring(async () => void t.is(await store.prune!(), 5000))
  t.true(sweep >= 4, `${sweep} turns`)
})

test('a listing ends although the caller creates a session for each that is listed', async (t) => {
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

test('prune() does not remove a session that was created again meanwhile', async (t) => {
  const scope = scopeAt(0)
  const store = memoryStore().scope!(scope)
  const later = recordOf('1', 1000 + graceAfterDeadline)
  void store.create(later.id, recordOf('1', 10))
  scope.time = 10 + graceAfterDeadline
  const pruned = store.prune!()
  t.true(store.create(later.id, later))
  t.true((await pruned) <= 1)
  t.is(store.read(later.id), later)
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

test('over maxSessions, the session of all scopes that was written longest ago is removed', async (t) => {
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
  clocks[0].time = 10 + graceAfterDeadline
  t.is(await short.prune!(), 1, 'each by its own clock')
  t.deepEqual(await long.read('1'.repeat(64)), recordOf('1', 10))
})

test('expired sessions are removed by themselves', async (t) => {
  const scope = scopeAt(0)
  const store = memoryStore({ sweepEvery: 5 }).scope!(scope)
  const others = memoryStore({ sweepEvery: 1e12 }).scope!(scope)
  for (const each of [store, others]) await each.create('1'.repeat(64), recordOf('1', 10))
  // The clock goes back for each look, so that the look does not itself remove the session.
  let held: unknown
  for (let tries = 0; tries === 0 || (held !== undefined && tries < 200); tries++) {
    scope.time = 10 + graceAfterDeadline
    await new Promise((resolve) => setTimeout(resolve, 10))
    scope.time = 0
    held = await store.read('1'.repeat(64))
  }
  t.is(held, undefined)
  t.deepEqual(await others.read('1'.repeat(64)), recordOf('1', 10), 'a timer is not given a longer delay than it can have')
})

test('closing one scope closes the store', async (t) => {
  const whole = memoryStore()
  const [one, two] = [whole.scope!(scopeAt(0, 'one:')), whole.scope!(scopeAt(0, 'two:'))]
  await two.close!()
  const error = { code: 'ERR_SESSION_STORE', message: 'the memory store is closed: make a new one to go on' }
  t.throws(() => one.read('1'.repeat(64)), error)
  t.throws(() => whole.read('1'.repeat(64)), error)
})

test('a recipe that keeps changing its own record ends with a conflict', (t) => {
  const store = memoryStore().scope!(scopeAt(0))
  void store.create('1'.repeat(64), recordOf('1'))
  let inner = 0
  const update = () =>
    void store.update('1'.repeat(64), (current) => {
      void store.update(current.id, (again) => again)
      inner++
      return current
    })
  t.throws(update, { code: 'ERR_SESSION_CONFLICT' })
  t.is((store.read('1'.repeat(64)) as SessionRecord).rev, 1 + inner)
})

test('a process ends although the store was not closed', async (t) => {
  const script = `
    import { memoryStore } from './src/stores/memory/index.ts'
    const id = 'a'.repeat(64)
    await memoryStore().create(id, { rev: 1, write: 'w', id, created: 0, used: 0, expires: 8e15, permanent: false, data: {} })
    console.log('stored')
  `
  const { stdout } = await promisify(execFile)(process.execPath, [runTypeScript, '--input-type=module', '-e', script], { timeout: 20_000 })
  t.is(stdout, 'stored\n')
})

const wrong: readonly [object, string][] = [
  [{ colour: 1 }, 'memoryStore(options): unknown option "colour"; known are maxSessions, sweepEvery'],
  [{ maxSessions: -1 }, 'memoryStore(options): maxSessions must be a whole number (0 = no limit), got -1'],
  [{ maxSessions: '5' }, 'memoryStore(options): maxSessions must be a whole number (0 = no limit), got \'5\''],
  [{ sweepEvery: 0 }, 'memoryStore(options): sweepEvery must be a number of milliseconds above 0, got 0']
]
for (const [options, message] of wrong) {
  test(`refused: ${message}`, (t) => {
    t.throws(() => memoryStore(options), { instanceOf: TypeError, message })
  })
}
