import test from 'ava'
import { SessionError } from '../../src/errors.js'
import { session } from '../../src/index.js'
import { createMark, createStore, defaultScope, graceAfterDeadline, type Backend, type SessionRecord, type SessionStore } from '../../src/store/index.js'
import { recordEvents } from '../support/events.js'
import { until } from '../support/redis.js'
import { recordWarnings } from '../support/warnings.js'
import { count, newRecord } from './new-record.js'
import { after, notSent, sentTwice, TextDatabase } from './text-backend.js'

async function setUp(database = new TextDatabase()) {
  const [store, other] = [database.store(), database.store()]
  const record = newRecord()
  await store.create(record.id, record)
  database.calls.length = 0
  return { database, store, other, record, id: record.id }
}

async function listed(records: AsyncIterable<SessionRecord>): Promise<SessionRecord[]> {
  const all: SessionRecord[] = []
  for await (const record of records) all.push(record)
  return all
}

test('a creation is one operation', async (t) => {
  const { database, store } = await setUp()
  const record = newRecord()
  t.true(await store.create(record.id, record))
  t.deepEqual(database.calls, ['insert'])
})

test('a creation that the driver sends twice is still one', async (t) => {
  const { database, store } = await setUp()
  const record = newRecord()
  database.failInsertion(sentTwice())
  t.true(await store.create(record.id, record))
  t.false(await store.create(record.id, { ...record, write: createMark() }))
  t.deepEqual(await store.read(record.id), record)
})

test('a creation that the driver sends twice is reported as made, however many others write in between', async (t) => {
  for (const writers of [1, 7, 20]) {
    const { database, store } = await setUp()
    const record = newRecord({ data: { count: 0 } })
    const stores = Array.from({ length: writers }, () => database.store())
    database.failInsertion(sentTwice(async () => {
      for (const each of [...stores, ...stores]) await each.update(record.id, count)
    }))
    t.true(await store.create(record.id, record), `${writers} other writers`)
    t.deepEqual((await store.read(record.id))?.data, { count: 2 * writers })
  }
})

test('a creation that the driver sends twice, and whose session is removed in between, does not bring it back', async (t) => {
  const { database, store, other } = await setUp(new TextDatabase({ answersRemovals: true }))
  const record = newRecord({ data: { count: 0 } })
  database.failInsertion(sentTwice(async () => {
    await other.update(record.id, count)
    await other.destroy(record.id)
  }))
  t.true(await store.create(record.id, record))
  t.is(await store.read(record.id), undefined)
  t.true(await store.create(record.id, newRecord({ id: record.id })), 'another creation may use the id')
})

test('a creation where others created is refused, whatever they wrote since', async (t) => {
  const { database, store, other } = await setUp(new TextDatabase({ answersRemovals: true }))
  const [own, theirs] = [newRecord(), newRecord()]
  database.failInsertion(async (apply) => {
    await other.create(own.id, { ...theirs, id: own.id })
    await other.update(own.id, count)
    return apply()
  })
  t.false(await store.create(own.id, own))
})

test('a command that the driver sends twice fails if the session was removed and created anew in between', async (t) => {
  const { database, store, other } = await setUp(new TextDatabase({ answersRemovals: true }))
  const anew = async (id: string): Promise<void> => {
    await other.destroy(id)
    await other.create(id, newRecord({ id, data: { count: 5 } }))
  }
  const unknown = { code: 'ERR_SESSION_STORE', message: /cannot tell whether the changes were saved/ }
  for (const command of [async (id: string) => store.update(id, count), async (id: string) => store.update(id, () => null), async (id: string) => store.destroy(id)]) {
    const record = newRecord({ data: { count: 0 } })
    await store.create(record.id, record)
    database.fail(sentTwice(async () => anew(record.id)))
    await t.throwsAsync(async () => command(record.id), unknown)
    t.deepEqual((await store.read(record.id))?.data, { count: 5 }, 'the new session is untouched')
    database.fail(sentTwice(async () => void (await anew(record.id), await other.destroy(record.id))))
    await t.throwsAsync(async () => command(record.id), unknown)
  }
})

test('a creation fails with a conflict after a few tries if the id is taken and free in turns', async (t) => {
  const database = new TextDatabase()
  const store = database.store({
    backend: (scope) => ({ ...database.backend(scope), insert: async () => false })
  })
  await t.throwsAsync(async () => store.create('a'.repeat(64), newRecord()), { code: 'ERR_SESSION_CONFLICT' })
})

test('destroying a session that others change returns the state that was removed', async (t) => {
  const { database, store, other, id } = await setUp()
  const rival = async (): Promise<unknown> => other.update(id, count)
  const rivalTwice = async (): Promise<void> => {
    await rival()
    database.fail(after(rival))
  }
  database.fail(after(rivalTwice))
  t.like(await store.destroy(id), { rev: 3, data: { count: 2 } })
  t.is(database.entries.size, 0)
})

test('the backend gets a mark for each removal, and no two are the same', async (t) => {
  const database = new TextDatabase()
  const marks: string[] = []
  const store = database.store({
    backend(scope) {
      const inner = database.backend(scope)
      return {
        ...inner,
        remove: async (id, from, mark) => {
          marks.push(mark)
          return inner.remove(id, from, mark)
        }
      }
    }
  })
  for (const remove of [(id: string) => store.destroy(id), (id: string) => store.update(id, () => null)]) {
    const record = newRecord()
    await store.create(record.id, record)
    await remove(record.id)
    t.not(marks.at(-1), record.write)
  }
  t.is(new Set(marks).size, 2)
})

test('an error of a backend becomes a SessionError with its cause, and with advice if the store has some', async (t) => {
  const cause = new Error('OOM')
  for (const advice of [undefined, () => 'raise maxmemory', () => undefined]) {
    const database = new TextDatabase()
    const store = database.store(advice ? { advice } : {})
    const record = newRecord()
    await store.create(record.id, record)
    database.fail(notSent(cause))
    const error = await t.throwsAsync(async () => store.update(record.id, count), { instanceOf: SessionError })
    t.like(error, { code: 'ERR_SESSION_STORE', message: `the session store failed to save a session: OOM${advice?.() ? ': raise maxmemory' : ''}` })
    t.is(error?.cause, cause)
    database.fail(notSent(cause))
    await t.throwsAsync(async () => store.destroy(record.id), { code: 'ERR_SESSION_STORE', message: /^the session store failed to remove a session: OOM/ })
  }
})

test('a SessionError of a backend is passed on as it is', async (t) => {
  const { database, store, id } = await setUp()
  const error = new SessionError('ERR_SESSION_STORE', 'the directory belongs to another user')
  database.fail(notSent(error))
  t.is(await t.throwsAsync(async () => store.destroy(id)), error)
})

test('a call gives the backend the token of the record, and none for a record that was written', async (t) => {
  const { store, id, record } = await setUp(new TextDatabase({ tokens: true }))
  // The database compares tokens where there are some: a stale one would be a conflict without an end.
  const read = await store.read(id)
  const written = await store.update(id, count, read)
  t.is((await store.update(id, count, written!))?.rev, 3)
  t.is((await store.update(id, count, record))?.rev, 4)
  t.is((await store.update(id, count, await store.read(id)))?.rev, 5)
  t.is((await store.destroy(id))?.rev, 5)
})

test('a listing skips texts that are not records and reports them', async (t) => {
  const database = new TextDatabase()
  const events = recordEvents(t)
  const reported: [string, string][] = []
  const store = database.store({
    backend: (scope) => ({ ...database.backend(scope), corrupt: async (id, reason) => void reported.push([id, reason]) })
  })
  const records = Array.from({ length: 10 }, () => newRecord({ owner: 'momo' }))
  for (const record of records) await store.create(record.id, record)
  const { id } = records.pop()!
  database.put(defaultScope, id, '{')
  t.deepEqual((await listed(store.records!())).map((record) => record.id), records.map((record) => record.id).toSorted())
  t.is((await listed(store.ownedBy!('momo'))).length, 9)
  t.deepEqual(reported, [[id, 'it is not JSON'], [id, 'it is not JSON']])
  t.is(events.filter((event) => event.type === 'corrupt' && event.id === id).length, 2)
})

test('a listing that fails, or that close() cuts short, throws', async (t) => {
  const database = new TextDatabase()
  const cause = new Error('connection lost')
  const failing = database.store({
    backend: (scope) => ({
      ...database.backend(scope),
      async *list() {
        yield* database.backend(scope).list!()
        throw cause
      }
    })
  })
  const record = newRecord()
  await failing.create(record.id, record)
  const error = await t.throwsAsync(listed(failing.records!()), { code: 'ERR_SESSION_STORE', message: 'the session store failed to list sessions: connection lost' })
  t.is(error?.cause, cause)
  const store = database.store()
  const cut = async () => {
    for await (const _ of store.records!()) await store.close!()
  }
  await t.throwsAsync(cut(), { code: 'ERR_SESSION_STORE', message: 'the text store is closed: make a new one to go on' })
})

test('a store lists sessions, and those of an owner, only if its backend can', (t) => {
  const backend = new TextDatabase().backend(defaultScope)
  delete backend.list
  delete backend.ownedBy
  const store = createStore({ name: 'text', backend: () => backend })
  t.false('records' in store)
  t.false('ownedBy' in store)
})

test('a middleware starts its store, and a start that fails is a warning with advice', async (t) => {
  let starts = 0
  const keys = ['a secret of more than thirty-two characters']
  const store = new TextDatabase().store({ start: () => void starts++ })
  await store.read(newRecord().id)
  t.is(starts, 0)
  session({ store, keys })
  t.is(starts, 1)
  for (const [at, start] of [async () => Promise.reject(new Error('connect ECONNREFUSED')), () => { throw new Error('connect ECONNREFUSED') }].entries()) {
    const warnings = recordWarnings(t, new RegExp(`database ${at}`))
    session({ store: new TextDatabase().store({ start, advice: () => 'start the database', backendName: () => `database ${at}` }), keys })
    await until('the warning', () => warnings.length > 0)
    t.deepEqual(warnings, [`the session store (database ${at}) failed to start: connect ECONNREFUSED: start the database`])
  }
})

test('prune() answers 0 where the backend expires records by itself, and what the backend says elsewhere', async (t) => {
  const database = new TextDatabase()
  t.is(await database.store().prune!(), 0)
  t.is(await database.store({ backend: (scope) => ({ ...database.backend(scope), prune: async () => 7 }) }).prune!(), 7)
})

test('closing one scope waits for the calls of all, then closes each backend and then the store, once', async (t) => {
  const database = new TextDatabase()
  const order: string[] = []
  const whole = database.store({
    backend: (scope) => ({ ...database.backend(scope), close: async () => void order.push(scope.prefix) }),
    close: async () => void order.push('the store')
  })
  const [one, two] = ['one:', 'two:'].map((prefix) => whole.scope!({ ...defaultScope, prefix })) as [SessionStore, SessionStore]
  const record = newRecord()
  await one.create(record.id, record)
  database.fail(after(async () => void order.push('the update')))
  const update = one.update(record.id, count)
  await Promise.all([two.close!(), one.close!(), whole.close!()])
  t.like(await update, { rev: 2 })
  t.deepEqual(order, ['the update', 'session:', 'one:', 'two:', 'the store'])
  await t.throwsAsync(async () => whole.read(record.id), { code: 'ERR_SESSION_STORE', message: 'the text store is closed: make a new one to go on' })
})

test('a call that waits in the queue of its session is carried out before close() is done', async (t) => {
  const { database, store, id } = await setUp()
  const update = async () => store.update(id, count)
  const calls = [update, update, async () => store.destroy(id), update].map((call) => call())
  await store.close!()
  t.is(database.entries.size, 0)
  t.deepEqual((await Promise.all(calls)).map((answer) => answer?.rev), [2, 3, 3, undefined])
})

test('a record that has expired is reported, once for each call that meets it', async (t) => {
  const events = recordEvents(t)
  const database = new TextDatabase()
  let time = 0
  const store = database.store().scope!({ ...defaultScope, now: () => time })
  const record = newRecord({ expires: 1000 })
  await store.create(record.id, record)
  time = 1000
  const reports = () => events.splice(0).filter(({ id }) => id === record.id)
  t.is(await store.read(record.id), undefined)
  t.deepEqual(reports(), [{ type: 'expire', id: record.id }])
  time = 1000 + graceAfterDeadline
  for (const call of [() => store.read(record.id), () => store.destroy(record.id), () => store.update(record.id, count)]) {
    t.is(await call(), undefined)
    t.deepEqual(reports(), [{ type: 'expire', id: record.id }])
  }
})

test('with the mark of a removal, a backend can recognise one that the driver sent twice', async (t) => {
  const database = new TextDatabase()
  const record = newRecord()
  const knowing = database.store({
    backend(scope) {
      const inner = database.backend(scope)
      const known = new Set<string>()
      // The first of two answers is lost.
      const remove: Backend<number>['remove'] = async (each, from, mark) => {
        if ((await inner.remove(each, from, mark)) === 'done') known.add(mark)
        const second = await inner.remove(each, from, mark)
        return second === 'gone' && known.has(mark) ? 'done' : second
      }
      return { ...inner, remove }
    }
  })
  await knowing.create(record.id, record)
  t.deepEqual(await knowing.destroy(record.id), record)
})
