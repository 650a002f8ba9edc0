import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { recordEvents } from '../../support/events.js'
import { all, counting, create, fileOf, newRecord, openStore, tempDir } from '../../support/files.js'
import { createWorkers } from '../../support/file-workers.js'

/** The user whom most systems call `nobody`. */
const nobody = 65_534

let workers: ReturnType<typeof createWorkers>
test.before(() => {
  workers = createWorkers()
})
test.after.always(() => workers?.close())

function isRoot(t: ExecutionContext): boolean {
  if (process.getuid?.() === 0) return true
  t.log('skipped: run as root, so that files can belong to another user')
  t.pass()
  return false
}

for (const [mode, who] of [[0o777, 'everybody'], [0o770, 'the group'], [0o1777, 'everybody, as in /tmp,'], [0o702, 'others']] as const) {
  test(`a directory to which ${who} may write is refused with advice, and accepted once that is repaired`, async (t) => {
    const dir = tempDir(t)
    const record = await create(openStore({ dir }))
    fs.chmodSync(dir, mode)
    const store = openStore({ dir })
    const expected = { code: 'ERR_SESSION_STORE', message: new RegExp(`refuses its directory.*other users may write to ${dir} .*chmod go-w`) }
    await t.throwsAsync(store.read(record.id), expected)
    await t.throwsAsync(store.create(newRecord().id, newRecord()), expected)
    await t.throwsAsync(store.update(record.id, counting()), expected)
    await t.throwsAsync(store.destroy(record.id), expected)
    await t.throwsAsync(store.prune(), expected)
    await t.throwsAsync(all(store.records()), expected)
    await t.throwsAsync(all(store.ownedBy('momo')), expected)
    fs.chmodSync(dir, 0o755)
    t.deepEqual(await store.read(record.id), record)
  })
}

test('a directory that others may read is accepted, and is checked again after it was created again', async (t) => {
  const dir = path.join(tempDir(t), 'sessions')
  const store = openStore({ dir })
  const record = await create(store)
  fs.chmodSync(dir, 0o755)
  t.deepEqual(await openStore({ dir }).read(record.id), record)
  fs.rmSync(dir, { recursive: true })
  t.true(await store.create(record.id, record))
  t.is(fs.statSync(dir).mode & 0o777, 0o700)
})

test('a directory that belongs to another user is refused with advice', async (t) => {
  if (!isRoot(t)) return
  const dir = tempDir(t)
  fs.chownSync(dir, nobody, nobody)
  const expected = { code: 'ERR_SESSION_STORE', message: new RegExp(`${dir} belongs to another user \\(uid ${nobody}\\).*chown 0`) }
  const store = openStore({ dir })
  await t.throwsAsync(store.read(newRecord().id), expected)
  await t.throwsAsync(store.create(newRecord().id, newRecord()), expected)
  t.deepEqual(fs.readdirSync(dir), [])
  fs.chownSync(dir, 0, 0)
  t.truthy(await create(store))
})

test("a directory of root is accepted from a user who may write to it, and that user's files are its own", async (t) => {
  if (!isRoot(t)) return
  const dir = tempDir(t)
  fs.chmodSync(dir, 0o755)
  const own = path.join(dir, 'own')
  fs.mkdirSync(own, { mode: 0o700 })
  fs.chownSync(own, nobody, nobody)
  const worker = workers.start({ dir: own }, { uid: nobody })
  const id = newRecord().id
  for (const [method, value] of [['create', true], ['update', { rev: 2 }], ['read', { rev: 2 }], ['destroy', { rev: 2 }]] as const) {
    const answer = worker.next()
    worker.send({ task: 'one', method, id })
    t.like(await answer, { value })
  }
  // Root's directory: nobody may read it, so that a session is looked for and not found.
  const reader = workers.start({ dir }, { uid: nobody })
  const answer = reader.next()
  reader.send({ task: 'one', method: 'read', id })
  t.deepEqual(await answer, { value: null })
  await Promise.all([worker.kill(), reader.kill()])
})

test("a record's file that belongs to another user is corrupt for every method, and is left where it is", async (t) => {
  if (!isRoot(t)) return
  const dir = tempDir(t)
  const store = openStore({ dir, threshold: 1 })
  const planted = await create(store, newRecord({}, 3_600_000, { owner: 'momo' }))
  const file = fileOf(dir, planted.id)
  fs.chownSync(file, nobody, nobody)
  const before = fs.lstatSync(file)
  const events = recordEvents(t)
  for (const each of [store, openStore({ dir })]) {
    t.is(await each.read(planted.id), undefined)
    t.is(await each.update(planted.id, counting(), planted), undefined)
    t.is(await each.destroy(planted.id), undefined)
    t.deepEqual(await all(each.records()), [])
    t.deepEqual(await all(each.ownedBy('momo')), [])
  }
  t.true(events.length >= 10)
  for (const event of events) t.deepEqual(event, { type: 'corrupt', id: planted.id, reason: 'its file belongs to another user' })
  // Neither a sweep nor an eviction removes it.
  fs.utimesSync(file, 5, 5)
  t.is(await store.prune(), 0)
  t.is(fs.lstatSync(file).ino, before.ino)
  t.is(fs.lstatSync(file).uid, nobody)
})
