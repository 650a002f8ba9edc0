import test from 'ava'
import { pauseAfter, retryEnd } from '../../src/store/index.js'
import { newRecord, count } from './new-record.js'
import { TextDatabase } from './text-backend.js'

// These tests move the clock of the retries, `performance.now`, so they have a file of their own.

const realNow = performance.now.bind(performance)
let ahead = 0
performance.now = () => realNow() + ahead

async function lose(): Promise<'changed'> {
  ahead += 500
  return 'changed'
}

test.serial('an update and a removal that lose each time end with ERR_SESSION_CONFLICT', async (t) => {
  const database = new TextDatabase()
  const store = database.store({ backend: (scope) => ({ ...database.backend(scope), replace: lose, remove: lose }) })
  const record = newRecord()
  await store.create(record.id, record)
  const error = { code: 'ERR_SESSION_CONFLICT', message: /^other requests changed the session during each of \d+ tries to save it/ }
  await t.throwsAsync(async () => store.update(record.id, count, record), error)
  await t.throwsAsync(async () => store.update(record.id, () => null), error)
  await t.throwsAsync(async () => store.destroy(record.id), error)
  t.deepEqual(await store.read(record.id), record)
})

test.serial('the first tries follow each other at once, every second one of the later ones after a pause', async (t) => {
  const end = retryEnd()
  let turns = 0
  const immediate = setImmediate(() => turns++)
  await pauseAfter(1, end)
  await pauseAfter(2, end)
  t.is(turns, 0, 'no pause lets other work in between')
  clearImmediate(immediate)
  const before = realNow()
  for (let tries = 10; tries < 15; tries++) await pauseAfter(tries, end)
  t.true(realNow() - before > 0)
  ahead += 5_001
  await t.notThrowsAsync(pauseAfter(29, end), 'a slow machine makes thirty tries all the same')
  await t.throwsAsync(pauseAfter(30, end), { code: 'ERR_SESSION_CONFLICT' })
})
