import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { createMark } from '../../src/record/index.js'
import { FileNames } from '../../src/stores/file/file-names.js'
import { timesOfRecord } from '../../src/stores/file/file-times.js'
import { recordEvents } from '../support/events.js'
import { all, counting, create, fileOf, newRecord, openStore, tempDir, withClock } from '../support/files.js'

// What stands in the place of a record's own file is shown in test/stores/file/{files,permissions}.test.ts.

const outsiders = 'a file of somebody else'

/** A file outside of the store's directory, which nobody may change. */
function outside(t: ExecutionContext): { file: string; isUntouched: () => boolean } {
  const file = path.join(tempDir(t), 'outside')
  fs.writeFileSync(file, outsiders)
  const { ino, mode, mtimeMs } = fs.statSync(file)
  return {
    file,
    isUntouched() {
      const stats = fs.statSync(file)
      return fs.readFileSync(file, 'utf8') === outsiders && stats.ino === ino && stats.mode === mode && stats.mtimeMs === mtimeMs
    }
  }
}

test("a hard link to another session's record opens neither, and leaves the other session as it is", async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir })
  const victim = await create(store, newRecord({ user: 'victim' }))
  for (const method of ['read', 'update', 'destroy'] as const) {
    const { id } = newRecord()
    fs.linkSync(fileOf(dir, victim.id), fileOf(dir, id))
    t.is(method === 'update' ? await store.update(id, counting()) : await store[method](id), undefined)
    t.deepEqual(await store.read(victim.id), victim)
  }
  t.like(await store.update(victim.id, counting(), victim), { rev: 2 })
})

const plants: readonly (readonly [what: string, put: (file: string, outside: string) => void])[] = [
  ['a symbolic link', (file, target) => fs.symlinkSync(target, file)],
  ['a dangling symbolic link', (file, target) => fs.symlinkSync(`${target}.gone`, file)],
  ['a hard link', (file, target) => fs.linkSync(target, file)],
  ['a directory', (file) => fs.mkdirSync(file)],
  ['a file of anything', (file) => fs.writeFileSync(file, outsiders)]
]

for (const [what, put] of plants) {
  test(`${what} in the place of a temporary file or a claim is never written to, and a save is whole or fails`, async (t) => {
    const dir = tempDir(t)
    const { file, isUntouched } = outside(t)
    const store = openStore({ dir, threshold: 0 })
    const names = new FileNames(dir, 'session:')
    const record = await create(store, newRecord({ user: 'momo' }))
    const next = { ...record, rev: 2, write: createMark() }
    put(names.step(record.id, timesOfRecord(record), timesOfRecord(next)), file)
    put(names.claim(record.id, timesOfRecord(record), 0), file)
    const written = await store.update(record.id, counting(), record).catch((error: unknown) => {
      t.like(error, { name: 'SessionError', status: 503 })
      return undefined
    })
    t.deepEqual((await store.read(record.id))?.data, written ? { user: 'momo', count: 1 } : { user: 'momo' })
    t.true(isUntouched())
    await store.destroy(record.id).catch((error: unknown) => t.like(error, { name: 'SessionError', status: 503 }))
    t.true(isUntouched())
    t.false(fs.existsSync(`${file}.gone`))
  })

  test(`${what} among the temporary files, claims, locks and entries of owners is neither followed by a sweep nor an error for requests`, async (t) => {
    const dir = tempDir(t)
    const { file, isUntouched } = outside(t)
    const clock = { now: Date.now() }
    const store = openStore({ dir }).scope(withClock(() => clock.now))
    const names = new FileNames(dir, 'session:')
    const record = await create(store, newRecord({ user: 'momo' }, 3_600_000, { owner: 'momo' }))
    const other = newRecord()
    const unique = '3f2b7c1e-8a44-4d0e-9d2c-1b5f0a9e7c11'
    for (const place of [names.temporary(other.id, unique), names.claim(other.id, timesOfRecord(other), 0), names.lock(other.id), names.sweepLock, names.aside(other.id, unique)]) put(place, file)
    put(names.ownerEntry(names.owner('momo'), other.id), file)
    put(path.join(names.owners, 'a'.repeat(64)), file)
    const { now } = Date
    t.teardown(() => void (Date.now = now))
    t.deepEqual(await all(store.ownedBy('momo')), [record])
    t.deepEqual(await all(store.records()), [record])
    t.deepEqual(await all(store.ownedBy('nobody')), [])
    clock.now += 3_700_000
    await store.prune().catch((error: unknown) => t.like(error, { name: 'SessionError', status: 503 }))
    t.true(isUntouched())
    t.false(fs.existsSync(`${file}.gone`))
    const after = newRecord({}, 1e8, { owner: 'momo' })
    t.true(await store.create(after.id, after))
    t.deepEqual(await all(store.ownedBy('momo')), [after])
  })
}

test('a directory that is a symbolic link is used if it leads to a safe one, and refused if it does not', async (t) => {
  const [real, links] = [tempDir(t), tempDir(t)]
  const link = path.join(links, 'sessions')
  fs.symlinkSync(real, link)
  const record = await create(openStore({ dir: link }))
  t.deepEqual(await openStore({ dir: real }).read(record.id), record)
  fs.chmodSync(real, 0o777)
  await t.throwsAsync(openStore({ dir: link }).read(record.id), { code: 'ERR_SESSION_STORE', message: /other users may write/ })
})

test('a foreign file in the place of the lock on the sweep stops sweeps and evictions, with an event, and no request', async (t) => {
  const dir = tempDir(t)
  const events = recordEvents(t)
  fs.writeFileSync(path.join(dir, 'sweep.lock'), outsiders)
  fs.utimesSync(path.join(dir, 'sweep.lock'), 5, 5)
  const store = openStore({ dir, threshold: 2, sweepEvery: 20 })
  const records = []
  for (let at = 0; at < 5; at++) records.push(await create(store, newRecord({ at })))
  for (let tries = 0; tries < 400 && !events.some(({ type }) => type === 'store-error'); tries++) await new Promise((resolve) => setTimeout(resolve, 5))
  t.true(events.some(({ type }) => type === 'store-error'))
  for (const record of records) t.deepEqual(await store.read(record.id), record)
  t.is(fs.readFileSync(path.join(dir, 'sweep.lock'), 'utf8'), outsiders)
  await store.close()
})
