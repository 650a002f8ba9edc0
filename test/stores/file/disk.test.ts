import { execFileSync } from 'node:child_process'
import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { counting, create, fileOf, leftovers, newRecord, openStore, systemError, tempDir, until } from '../../support/files.js'
import { createWorkers } from '../../support/file-workers.js'
import { fillDisk, mountSmallDisk } from '../../support/small-disk.js'

let workers: ReturnType<typeof createWorkers>
test.before(() => {
  workers = createWorkers()
})
test.after.always(() => workers?.close())

/** A file system of its own, small enough to be filled. `undefined`: nobody but root can have one. */
function smallDisk(t: ExecutionContext): string | undefined {
  const dir = tempDir(t)
  try {
    mountSmallDisk(t, dir, '256k')
  } catch (error) {
    if (process.env['CI'] === 'true') throw error
    t.log('skipped: run as root, where tmpfs can be mounted, to try a full disk')
    t.pass()
    return undefined
  }
  return dir
}

for (const durability of ['process', 'power'] as const) {
  test.serial(`on a full disk a save fails and leaves the record as it was, a logout works, and the store recovers by itself (durability: ${durability})`, async (t) => {
    const disk = smallDisk(t)
    if (disk === undefined) return
    const dir = path.join(disk, 'sessions')
    const store = openStore({ dir, durability })
    const kept = await create(store, newRecord({ text: 'x'.repeat(5000) }))
    const leaving = await create(store, newRecord({ text: 'x'.repeat(5000) }))
    const late = newRecord({ text: 'x'.repeat(9000) })
    fillDisk(path.join(disk, 'ballast'))
    const full = { name: 'SessionError', code: 'ERR_SESSION_STORE', message: /save a session: ENOSPC.*: free some room on the disk/ }
    await t.throwsAsync(store.update(kept.id, counting(), kept), full)
    await t.throwsAsync(store.create(late.id, late), { ...full, message: /create a session: ENOSPC.*: free some room/ })
    t.deepEqual(await store.read(kept.id), kept)
    t.is(await store.read(late.id), undefined)
    t.deepEqual(leftovers(dir), [])
    t.deepEqual(await store.destroy(leaving.id), leaving)
    t.is(await store.read(leaving.id), undefined)
    t.deepEqual(leftovers(dir), [])
    fs.rmSync(path.join(disk, 'ballast'))
    t.true(await store.create(late.id, late))
    t.like(await store.update(kept.id, counting(), kept), { rev: 2 })
    t.deepEqual(leftovers(dir), [])
  })
}

test.serial('on a file system that is mounted read-only sessions are read, and saving and logging out say why they fail', async (t) => {
  const disk = smallDisk(t)
  if (disk === undefined) return
  const store = openStore({ dir: disk })
  const record = await create(store)
  execFileSync('mount', ['-o', 'remount,ro', disk])
  const readOnly = { code: 'ERR_SESSION_STORE', message: /EROFS.* is on a file system that is mounted read-only/ }
  t.deepEqual(await store.read(record.id), record)
  await t.throwsAsync(store.update(record.id, counting()), readOnly)
  await t.throwsAsync(store.create(newRecord().id, newRecord()), readOnly)
  await t.throwsAsync(store.destroy(record.id), readOnly)
  t.deepEqual(await store.read(record.id), record)
  execFileSync('mount', ['-o', 'remount,rw', disk])
  t.like(await store.update(record.id, counting()), { rev: 2 })
})

test.serial('without permission every call fails with advice, and no session counts as missing', async (t) => {
  if (process.getuid?.() !== 0) {
    t.log('skipped: run as root, so that the store can run as somebody else')
    t.pass()
    return
  }
  const dir = tempDir(t)
  const record = await create(openStore({ dir }))
  const worker = workers.start({ dir }, { uid: 65_534 })
  for (const mode of [0o700, 0o755]) {
    fs.chmodSync(dir, mode)
    for (const method of ['read', 'create', 'update', 'destroy'] as const) {
      const answer = worker.next()
      worker.send({ task: 'one', method, id: method === 'create' ? newRecord().id : record.id })
      const { code, message } = (await answer) as { code: string; message: string }
      t.is(code, 'ERR_SESSION_STORE', method)
      t.regex(message, /EACCES.*: let the user that runs this process read and write /)
      t.false(message.includes(record.id))
    }
  }
  t.deepEqual(await openStore({ dir }).read(record.id), record)
  await worker.kill()
})

test.serial('with too many open files, reads fail and no session counts as missing, and reads work again afterwards', async (t) => {
  const dir = tempDir(t)
  const record = await create(openStore({ dir }))
  // Enough to load the modules of the worker at once, and far too few for the reads.
  const worker = workers.start({ dir }, { openFiles: 120 })
  const answer = worker.next()
  worker.send({ task: 'rush', reads: 500, id: record.id })
  const { code, message, again, found } = (await answer) as { code: string; message: string; again: number; found: number }
  t.is(code, 'ERR_SESSION_STORE')
  t.regex(message, /EMFILE.*: raise the limit of open files, for example with `ulimit -n`/)
  t.true(found > 0 && found < 500)
  t.is(again, 1)
  await worker.kill()
})

test.serial('a file in place of the directory fails each call with an error that says so', async (t) => {
  const dir = path.join(tempDir(t), 'sessions')
  fs.writeFileSync(dir, '')
  const store = openStore({ dir })
  const record = newRecord()
  const expected = { code: 'ERR_SESSION_STORE', message: /ENOTDIR.* or something above it is not a directory/ }
  await t.throwsAsync(store.read(record.id), expected)
  await t.throwsAsync(store.create(record.id, record), expected)
})

/** Makes a file system on which hard links are refused, for all paths or for some. */
function refuseLinks(t: ExecutionContext, refused: (existing: string) => boolean): void {
  const original = fs.link
  t.teardown(() => {
    fs.link = original
  })
  fs.link = ((existing: string, claim: string, done: (error: Error | null) => void) =>
    refused(existing) ? done(systemError('EPERM', 'link')) : original(existing, claim, done)) as typeof fs.link
}

test.serial('where hard links are refused lock files take over, in every process alike', async (t) => {
  const dir = tempDir(t)
  refuseLinks(t, () => true)
  const [one, two] = [openStore({ dir }), openStore({ dir })]
  const record = await create(one)
  await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 ? one : two).update(record.id, counting())))
  t.deepEqual((await one.read(record.id))?.data, { count: 20 })
  t.like(await two.destroy(record.id), { rev: 21 })
  t.false(fs.existsSync(fileOf(dir, record.id)))
  await until(() => leftovers(dir).length === 0)
})

test.serial("where links to another user's files are refused a removal is claimed without one", async (t) => {
  const dir = tempDir(t)
  let refused = 0
  refuseLinks(t, (existing) => existing.endsWith('.json') && ++refused > 0)
  const store = openStore({ dir })
  const record = await create(store)
  t.deepEqual(await store.destroy(record.id), record)
  t.is(refused, 1)
  t.deepEqual(fs.readdirSync(dir), [])
})
