import test from 'ava'
import type { SessionRecord, SessionStore } from '../../src/store/index.js'
import { count, newRecord, withKey } from './new-record.js'
import { after, answerLost, notSent, sentTwice, TextDatabase } from './text-backend.js'

/** A database with one record, and two stores on it: two processes. */
async function setUp(fields: Partial<SessionRecord> = {}, database = new TextDatabase()) {
  const [store, other] = [database.store(), database.store()]
  const record = newRecord(fields)
  await store.create(record.id, record)
  database.calls.length = 0
  return { database, store, other, record, id: record.id }
}

const remove = () => null

async function dataOf(store: SessionStore, id: string): Promise<unknown> {
  return (await store.read(id))?.data
}

test('an uncontended update of a record that was seen is one operation', async (t) => {
  const { database, store, record, id } = await setUp()
  const written = await store.update(id, count, record)
  t.deepEqual(database.calls, ['replace'])
  await store.update(id, count, written!)
  t.deepEqual(database.calls, ['replace', 'replace'])
  await store.update(id, count)
  t.deepEqual(database.calls.slice(2), ['get', 'replace'])
  t.deepEqual(await dataOf(store, id), { count: 3 })
})

test('a record that was seen past its deadline, or of another id, is read again', async (t) => {
  const { database, store, record, id } = await setUp()
  await store.update(id, count, { ...record, expires: 1 })
  t.deepEqual(database.calls.splice(0), ['get', 'replace'])
  await store.update(id, count, newRecord())
  t.deepEqual(database.calls, ['get', 'replace'])
  t.deepEqual(await dataOf(store, id), { count: 2 })
})

test('parallel updates of one session are made as one', async (t) => {
  const { database, store, record, id } = await setUp()
  const answers = await Promise.all(Array.from({ length: 50 }, async () => store.update(id, count, record)))
  t.deepEqual(database.calls, ['replace', 'replace'], 'the first, and the 49 that gathered behind it')
  t.deepEqual(answers.map((answer) => [answer?.rev, answer?.data['count']]), answers.map((_, at) => [at + 2, at + 1]))
  t.is(new Set(answers.map((answer) => answer?.write)).size, 50)
  t.deepEqual(await store.read(id), answers.at(-1) ?? undefined)
})

test('large updates are not made as one, so that they do not hold the event loop', async (t) => {
  const { database, store, id } = await setUp({ data: { text: 'x'.repeat(100_000) } })
  await Promise.all(Array.from({ length: 8 }, async () => store.update(id, count)))
  t.is(database.calls.filter((call) => call === 'replace').length, 4, '1, 3, 3 and 1')
  t.is((await store.read(id))?.data['count'], 8)
})

test('the calls of one session are carried out in the order in which they were made', async (t) => {
  const { store, id } = await setUp()
  const order: string[] = []
  const add = (name: string) => async () =>
    store.update(id, (current) => {
      order.push(name)
      return { ...current, data: { ...current.data, [name]: order.length } }
    })
  const steps = [add('a'), add('b'), async () => store.destroy(id), add('c'), async () => store.destroy(id)]
  const [a, b, last, c, nothing] = await Promise.all(steps.map((step) => step()))
  t.deepEqual(order, ['a', 'b'])
  t.deepEqual([a?.rev, b?.rev, c, nothing], [2, 3, undefined, undefined])
  t.deepEqual(last, b)
})

test('sessions do not wait for each other', async (t) => {
  const { database, store, id } = await setUp()
  const second = newRecord()
  await store.create(second.id, second)
  let release!: () => void
  const released = new Promise<void>((resolve) => (release = resolve))
  const reached = new Promise<void>((resolve) => database.fail(after(async () => (resolve(), released))))
  const slow = store.update(id, count)
  await reached
  t.is((await store.update(second.id, count))?.rev, 2)
  release()
  t.is((await slow)?.rev, 2)
})

test('a removal among updates keeps what was saved before it and leaves nothing for those after it', async (t) => {
  const { database, store, id, record } = await setUp()
  const recipes = [count, count, remove, count, count]
  const answers = await Promise.all(recipes.map(async (recipe) => store.update(id, recipe, record)))
  t.deepEqual(answers.map((answer) => answer && answer.rev), [2, 3, null, undefined, undefined])
  t.is(database.entries.size, 0)
})

test('a removal that fails does not undo the updates before it', async (t) => {
  const { database, store, id, record } = await setUp()
  const pass = after(async () => undefined)
  database.fail(pass, pass, notSent(new Error('lost')))
  const settled = await Promise.allSettled([count, count, remove].map(async (recipe) => store.update(id, recipe, record)))
  t.deepEqual(settled.map((each) => each.status), ['fulfilled', 'fulfilled', 'rejected'])
  t.deepEqual(await dataOf(store, id), { count: 2 })
})

test('an error of a recipe reaches its caller unchanged, and the other updates are made', async (t) => {
  const { store, id, record } = await setUp()
  const mistakes = [new Error('one'), new TypeError('two')]
  const failing = mistakes.map((mistake) => () => {
    throw mistake
  })
  const recipes = [count, failing[0]!, count, failing[1]!, count]
  const settled = await Promise.allSettled(recipes.map(async (recipe) => store.update(id, recipe, record)))
  t.deepEqual(settled.map((each) => (each.status === 'rejected' ? (each.reason as unknown) : each.value?.rev)), [2, mistakes[0], 3, mistakes[1], 4])
  t.deepEqual(await dataOf(store, id), { count: 3 })
})

test('a recipe runs again on the state that won', async (t) => {
  for (const answersText of [false, true]) {
    const database = new TextDatabase({ answersText, tokens: answersText })
    const [store, other] = [database.store(), database.store()]
    const record = newRecord()
    await store.create(record.id, record)
    database.calls.length = 0
    const rival = () => other.update(record.id, withKey('theirs', 1), record)
    database.fail(after(async () => rival()))
    const given: number[] = []
    const recipe = (current: SessionRecord) => {
      given.push(current.rev)
      return withKey('ours', 1)(current)
    }
    t.deepEqual((await store.update(record.id, recipe, record))?.data, { theirs: 1, ours: 1 })
    t.deepEqual(given, [1, 2])
    const read = database.calls.filter((call) => call === 'get').length
    t.is(read, answersText ? 0 : 1)
  }
})

test('an update that meets a removal writes nothing', async (t) => {
  const { database, store, other, id, record } = await setUp()
  database.fail(after(async () => other.destroy(id)))
  t.is(await store.update(id, count, record), undefined)
  t.is(database.entries.size, 0)
})

test('a command that the driver sends twice is applied once, also when others write in between', async (t) => {
  for (const writers of [0, 1, 3, 7]) {
    const { database, store, id, record } = await setUp()
    const others = async () => {
      const stores = Array.from({ length: writers }, () => database.store())
      for (const each of [...stores, ...stores, ...stores]) await each.update(id, count)
    }
    database.fail(sentTwice(others))
    const answer = await store.update(id, count, record)
    t.deepEqual([answer?.rev, answer?.data['count']], [2, 1], `${writers} other writers`)
    t.deepEqual(await dataOf(store, id), { count: 1 + 3 * writers })
  }
})

test('an update that the driver sends twice, and whose session is removed in between, is reported as made', async (t) => {
  for (const answersRemovals of [true, false]) {
    const { database, store, other, id, record } = await setUp({}, new TextDatabase({ answersRemovals }))
    database.fail(sentTwice(async () => void (await other.destroy(id))))
    t.is((await store.update(id, count, record))?.rev, answersRemovals ? 2 : undefined)
    t.is(database.entries.size, 0)
    const second = newRecord()
    await store.create(second.id, second)
    database.fail(after(async () => other.destroy(second.id)))
    t.is(await store.update(second.id, count, second), undefined, 'but not one that came too late')
  }
})

test('updates that were made as one and sent twice are applied once', async (t) => {
  const { database, store, other, id, record } = await setUp()
  const pass = after(async () => undefined)
  database.fail(pass, sentTwice(async () => other.update(id, count)))
  const mistake = new Error('a recipe')
  const failing = () => {
    throw mistake
  }
  const settled = await Promise.allSettled([count, count, failing, count].map(async (recipe) => store.update(id, recipe, record)))
  t.deepEqual(settled.map((each) => (each.status === 'rejected' ? (each.reason as unknown) : each.value?.rev)), [2, 3, mistake, 4])
  t.deepEqual(await dataOf(store, id), { count: 4 })
})

test('if the store cannot know whether an update was applied, the update fails and is not made again', async (t) => {
  const { database, store, id, record } = await setUp()
  const others = async () => {
    for (let at = 0; at < 8; at++) await database.store().update(id, count)
  }
  database.fail(sentTwice(others))
  await t.throwsAsync(async () => store.update(id, count, record), { code: 'ERR_SESSION_STORE', message: /cannot tell whether the changes were saved/ })
  t.deepEqual(await dataOf(store, id), { count: 9 })
  t.is((await store.update(id, count))?.rev, 11, 'later updates go on')
})

test('a slow update is made however many others wrote meanwhile, where a driver sends each command once', async (t) => {
  const { database, store, id, record } = await setUp({}, new TextDatabase({ sendsOnce: true }))
  for (let at = 0; at < 20; at++) await database.store().update(id, count)
  t.like(await store.update(id, count, record), { rev: 22, data: { count: 21 } })
})

test('a slow update is made although few others wrote often meanwhile', async (t) => {
  const { database, store, id } = await setUp()
  for (let at = 0; at < 10; at++) await database.store().update(id, count)
  const seen = await store.read(id)
  const others = Array.from({ length: 7 }, () => database.store())
  for (const other of [...others, ...others, ...others]) await other.update(id, count)
  t.like(await store.update(id, count, seen), { data: { count: 32 } })
})

test('after an answer was lost, the next update starts from the stored record', async (t) => {
  const { database, store, id, record } = await setUp()
  const lost = new Error('connection lost')
  database.fail(answerLost(lost))
  await t.throwsAsync(async () => store.update(id, count, record), { code: 'ERR_SESSION_STORE' })
  t.is((await store.update(id, count, record))?.data['count'], 2)
  database.fail(notSent(lost))
  await t.throwsAsync(async () => store.update(id, count), { code: 'ERR_SESSION_STORE' })
  t.is((await store.update(id, count, record))?.data['count'], 3)
})

test('if a step fails, each of its updates rejects, and those that waited behind it are made', async (t) => {
  const { database, store, id, record } = await setUp()
  database.fail(after(async () => undefined), notSent(new Error('full')))
  const first = store.update(id, count, record)
  const second = Promise.allSettled([1, 2, 3].map(async () => store.update(id, count)))
  t.is((await first)?.rev, 2)
  const reasons = (await second).map((each) => each.status)
  t.deepEqual(reasons, ['rejected', 'rejected', 'rejected'])
  t.is((await store.update(id, count))?.rev, 3)
})
