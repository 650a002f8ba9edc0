import { execFileSync } from 'node:child_process'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { channelName, type SessionEvent } from '../../../src/events.js'
import { createMark, defaultScope } from '../../../src/store/index.js'
import { FileNames } from '../../../src/stores/file/file-names.js'
import { hasTimes, timesOfRecord } from '../../../src/stores/file/file-times.js'
import { fileStore, type FileStoreOptions } from '../../../src/stores/file/index.js'
import { all, counting, create, fileOf, leftovers, newRecord, openStore, tempDir, withClock, type FileStore } from '../../support/files.js'
import { runTypeScript } from '../../support/typescript/option.js'

function events(t: ExecutionContext, id: string): SessionEvent[] {
  const received: SessionEvent[] = []
  const listen = (event: unknown) => void ((event as SessionEvent).id === id && received.push(event as SessionEvent))
  subscribe(channelName, listen)
  t.teardown(() => void unsubscribe(channelName, listen))
  return received
}

function modeOf(file: string): string {
  return (fs.statSync(file).mode & 0o777).toString(8)
}

test('a record is one JSON file that a person can read, and its mtime is its deadline', async (t) => {
  const dir = tempDir(t)
  const record = newRecord({ user: 'momo' })
  await openStore({ dir }).create(record.id, record)
  t.is(fs.readFileSync(fileOf(dir, record.id), 'utf8'), JSON.stringify(record))
  t.is(Math.round(fs.statSync(fileOf(dir, record.id)).mtimeMs), record.expires)
  t.is((await openStore({ dir }).update(record.id, (current) => ({ ...current, expires: current.expires + 5000 })))?.rev, 2)
  t.is(Math.round(fs.statSync(fileOf(dir, record.id)).mtimeMs), record.expires + 5000)
  t.deepEqual(leftovers(dir), [])
})

test('the directory is resolved when the store is made, and is made when it is missing, for its owner only', async (t) => {
  const dir = path.join(tempDir(t), 'var', 'sessions')
  const store = openStore({ dir: path.relative(process.cwd(), dir) })
  const record = newRecord()
  t.is(await store.read(record.id), undefined)
  t.is(await store.update(record.id, counting()), undefined)
  t.is(await store.destroy(record.id), undefined)
  t.false(fs.existsSync(dir))
  t.true(await store.create(record.id, record))
  t.is(modeOf(dir), '700')
})

test('a directory that is removed while the store runs counts as empty, and is created again', async (t) => {
  const dir = path.join(tempDir(t), 'sessions')
  const store = openStore({ dir })
  const [first, second] = [newRecord(), newRecord()]
  await store.create(first.id, first)
  fs.rmSync(dir, { recursive: true })
  t.is(await store.update(first.id, counting(), first), undefined)
  t.is(await store.destroy(first.id), undefined)
  t.is(await store.prune(), 0)
  t.true(await store.create(second.id, second))
  t.deepEqual(await store.read(second.id), second)
})

// The umask belongs to the process, so each is tried in one of its own.
for (const umask of [0o000, 0o022, 0o077, 0o777]) {
  test(`files have exactly the mode that was asked for under umask ${umask.toString(8)}`, (t) => {
    const dir = path.join(tempDir(t), 'sessions')
    const script = `
      import { fileStore } from './src/stores/file/index.ts'
      process.umask(${umask})
      const id = 'a'.repeat(64)
      const store = fileStore({ dir: ${JSON.stringify(dir)}, mode: '640' })
      await store.create(id, { rev: 1, write: 'new', id, created: 0, used: 0, expires: 8e15, permanent: false, data: {} })
      console.log((await import('node:fs')).statSync(${JSON.stringify(fileOf(dir, 'a'.repeat(64)))}).mode & 0o777)
      await store.update(id, (current) => current)
    `
    const printed = execFileSync(process.execPath, [runTypeScript, '--input-type=module', '-e', script], { encoding: 'utf8', timeout: 60_000 })
    t.is(Number(printed), 0o640)
    t.is(modeOf(fileOf(dir, 'a'.repeat(64))), '640')
    t.is(modeOf(dir), '700')
  })
}

const modes: readonly [number | string, string][] = [
  ['600', '600'],
  ['0600', '600'],
  ['0o660', '660'],
  [384, '600'],
  [0o644, '644']
]
for (const [mode, expected] of modes) {
  test(`mode ${JSON.stringify(mode)} is ${expected} in octal`, async (t) => {
    const dir = tempDir(t)
    const record = newRecord()
    const store = openStore({ dir, mode })
    await store.create(record.id, record)
    t.is(modeOf(fileOf(dir, record.id)), expected)
    await store.update(record.id, counting())
    t.is(modeOf(fileOf(dir, record.id)), expected)
  })
}

const wrong: readonly [object, string][] = [
  [{ directory: 'x' }, 'fileStore(options): unknown option "directory"; known are dir, threshold, mode, sweepEvery, durability, locking'],
  [{ dir: '' }, 'fileStore(options): dir must be the path of a directory, got \'\''],
  [{ dir: 5 }, 'fileStore(options): dir must be the path of a directory, got 5'],
  [{ threshold: -1 }, 'fileStore(options): threshold must be a whole number (0 = no limit), got -1'],
  [{ threshold: '500' }, 'fileStore(options): threshold must be a whole number (0 = no limit), got \'500\''],
  [{ sweepEvery: 0 }, 'fileStore(options): sweepEvery must be a number of milliseconds above 0, got 0'],
  [{ durability: 'disk' }, "fileStore(options): durability must be 'process' or 'power', got 'disk'"],
  [{ locking: true }, "fileStore(options): locking must be 'auto' or 'lockfile', got true"],
  ...[600, 0o1777, 0o060, 1.5, '6000', 'rw', '0x180', '384'].map(
    (mode) =>
      [
        { mode },
        `fileStore(options): mode must be 0o400 to 0o777 with the owner's right to read, or octal digits such as '600', got ${typeof mode === 'string' ? `'${mode}'` : mode}`
      ] as [object, string]
  )
]
test('one error lists every wrong option of fileStore(), and a path in place of the options is refused with what to write', (t) => {
  const message = "fileStore(options): unknown option \"path\"; threshold must be a whole number (0 = no limit), got -1; mode must be 0o400 to 0o777 with the owner's right to read, or octal digits such as '600', got 'rw'; known are dir, threshold, mode, sweepEvery, durability, locking"
  t.throws(() => fileStore({ path: 'x', threshold: -1, mode: 'rw' } as FileStoreOptions), { instanceOf: TypeError, message })
  t.throws(() => fileStore('var/sessions' as FileStoreOptions), { instanceOf: TypeError, message: /got a string: write fileStore\(\{ dir: 'var\/sessions' \}\)/ })
})

for (const [options, message] of wrong) {
  test(`refused: ${JSON.stringify(options)}`, (t) => {
    t.throws(() => fileStore(options as FileStoreOptions), { instanceOf: TypeError, message })
  })
}

test('a text that is not an id never becomes a path', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir })
  const record = newRecord()
  for (const id of ['', '..', '../../etc/passwd', 'A'.repeat(64), 'a'.repeat(63), `${'a'.repeat(64)}\n`]) {
    for (const call of [() => store.read(id), () => store.create(id, { ...record, id }), () => store.update(id, counting()), () => store.destroy(id)]) {
      await t.throwsAsync(call(), { instanceOf: TypeError, message: /^an id must be 64 lower-case hexadecimal digits/ })
    }
  }
  t.deepEqual(fs.readdirSync(dir), [])
})

const outside = (t: ExecutionContext) => path.join(tempDir(t), 'outside')
const odd: readonly [string, (file: string, t: ExecutionContext) => void, string][] = [
  ['an empty file', (file) => fs.writeFileSync(file, ''), 'it is empty'],
  ['a truncated record', (file) => fs.truncateSync(file, 40), 'it is not JSON'],
  ['a file full of NUL', (file) => fs.writeFileSync(file, Buffer.alloc(20_000)), 'it is not JSON'],
  ["another id's record", (file) => fs.writeFileSync(file, JSON.stringify(newRecord())), 'it names another id'],
  ['a list', (file) => fs.writeFileSync(file, '[]'), 'it is not an object'],
  ['a directory', (file) => { fs.rmSync(file); fs.mkdirSync(file) }, 'it is not a regular file'],
  ['a FIFO', (file) => { fs.rmSync(file); execFileSync('mkfifo', [file]) }, 'it is not a regular file'],
  ['a symbolic link to a record', (file, t) => { const target = outside(t); fs.renameSync(file, target); fs.symlinkSync(target, file) }, 'it is not a regular file'],
  ['a dangling symbolic link', (file, t) => { fs.rmSync(file); fs.symlinkSync(outside(t), file) }, 'it is not a regular file']
]
for (const [what, put, reason] of odd) {
  test(`${what} in place of a record is no session, is reported, and is kept under another name`, async (t) => {
    for (const method of ['read', 'update', 'destroy', 'create', 'stale update'] as const) {
      const dir = tempDir(t)
      const store = openStore({ dir })
      const record = newRecord()
      const reports = events(t, record.id)
      await store.create(record.id, record)
      const file = fileOf(dir, record.id)
      put(file, t)
      const before = fs.lstatSync(file)
      if (method === 'create') t.true(await store.create(record.id, record))
      else if (method === 'stale update') t.is(await store.update(record.id, counting(), record), undefined)
      else if (method === 'update') t.is(await store.update(record.id, counting()), undefined)
      else t.is(await store[method](record.id), undefined)
      t.deepEqual(reports.filter(({ type }) => type === 'corrupt'), [{ type: 'corrupt', id: record.id, reason }], method)
      const aside = leftovers(dir).filter((name) => name.endsWith('.corrupt'))
      t.is(aside.length, 1)
      t.is(fs.lstatSync(path.join(dir, aside[0]!)).ino, before.ino)
      t.is(fs.existsSync(file), method === 'create')
      if (method !== 'create') t.true(await store.create(record.id, record))
      t.deepEqual(await store.read(record.id), record)
    }
  })
}

test('a record of a newer version is refused and left where it is', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, threshold: 1 })
  const record = newRecord()
  const text = JSON.stringify({ ...record, version: 2, expires: 5 })
  fs.writeFileSync(fileOf(dir, record.id), text)
  fs.utimesSync(fileOf(dir, record.id), 5, 5)
  const expected = { code: 'ERR_SESSION_STORE', message: /upgrade koa-keepsake/ }
  await t.throwsAsync(store.read(record.id), expected)
  await t.throwsAsync(store.update(record.id, counting()), expected)
  await t.throwsAsync(store.destroy(record.id), expected)
  t.is(await store.prune(), 0)
  t.is(fs.readFileSync(fileOf(dir, record.id), 'utf8'), text)
})

test('a record that a person edited and formatted is read and updated', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir })
  const record = newRecord({ user: 'momo' })
  const { rev, ...rest } = record
  fs.writeFileSync(fileOf(dir, record.id), `\n${JSON.stringify({ ...rest, rev, note: 'by hand' }, undefined, 2)}\n`)
  t.like(await store.read(record.id), { ...record, note: 'by hand' })
  t.like(await store.update(record.id, counting()), { rev: 2, note: 'by hand', data: { user: 'momo', count: 1 } })
  t.like(await store.destroy(record.id), { rev: 2 })
})

test('records of any size are written and read whole', async (t) => {
  const dir = tempDir(t)
  const [store, reader] = [openStore({ dir }), openStore({ dir })].map((each) => each.scope({ ...defaultScope, largest: 2_000_000 })) as [FileStore, FileStore]
  // Around the size of the buffer that reads go through.
  for (const size of [0, 8000, ...Array.from({ length: 80 }, (_, at) => 7950 + at), 16_384, 1_000_000]) {
    const record = await create(store, newRecord({ text: 'é}'.repeat(size / 3), tail: 'x'.repeat(size % 3) }))
    const updated = await store.update(record.id, (current) => current)
    t.like(updated, { rev: 2, data: record.data })
    t.deepEqual(await reader.read(record.id), updated)
    t.deepEqual(await store.destroy(record.id), updated)
  }
})

test('a read stops after the largest size of a record', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir })
  const record = await create(store)
  fs.truncateSync(fileOf(dir, record.id), 5_000_000_000)
  const reports = events(t, record.id)
  t.is(await store.read(record.id), undefined)
  t.deepEqual(reports, [{ type: 'corrupt', id: record.id, reason: `it is larger than ${defaultScope.largest} bytes` }])
})

test('files of other programs and other prefixes in the directory are never counted, listed or removed', async (t) => {
  const dir = tempDir(t)
  const clock = { now: Date.now() }
  const whole = openStore({ dir, threshold: 1 })
  const store = whole.scope(withClock(() => clock.now))
  const theirs = newRecord({}, 1000)
  await openStore({ dir }).scope({ ...defaultScope, prefix: 'session:a' }).create(theirs.id, theirs)
  await openStore({ dir }).scope({ ...defaultScope, prefix: 'SESSION:' }).create(theirs.id, theirs)
  const old = new Date(5)
  for (const name of ['.gitkeep', 'README.json', `${theirs.id}.json`, `session%3a${theirs.id}.json.bak`, 'session%3ax.tmp', 'session%3a5.claim']) {
    fs.writeFileSync(path.join(dir, name), 'foreign')
    fs.utimesSync(path.join(dir, name), old, old)
  }
  const others = fs.readdirSync(dir)
  const mine = await create(store, newRecord({}, 1000))
  t.deepEqual(await all(store.records()), [mine])
  clock.now += 62_000
  t.is(await store.prune(), 1)
  t.deepEqual(fs.readdirSync(dir).sort(), others.sort())
})

test('closing waits for calls in progress and may be done twice, and later calls say that the store is closed', async (t) => {
  const dir = tempDir(t)
  const whole = openStore({ dir })
  const store = whole.scope(withClock(Date.now))
  const record = await create(store)
  const late = newRecord()
  const inProgress = [store.create(late.id, late), ...Array.from({ length: 30 }, () => store.update(record.id, counting()))]
  await Promise.all([store.close(), whole.close()])
  await store.close()
  t.like(JSON.parse(fs.readFileSync(fileOf(dir, record.id), 'utf8')), { data: { count: 30 } })
  t.true(fs.existsSync(fileOf(dir, late.id)))
  await Promise.all(inProgress)
  const closed = { code: 'ERR_SESSION_STORE', message: 'the file store is closed: make a new one to go on' }
  for (const each of [store, whole]) {
    await t.throwsAsync(each.read(record.id), closed)
    await t.throwsAsync(each.create(record.id, record), closed)
    await t.throwsAsync(each.update(record.id, counting()), closed)
    await t.throwsAsync(each.destroy(record.id), closed)
    await t.throwsAsync(each.prune(), closed)
    await t.throwsAsync(each.records()[Symbol.asyncIterator]().next(), closed)
  }
})

// Alone: it moves the system's clock.
test.serial('files that dead processes left are swept when they are older than an hour, and not before', async (t) => {
  const dir = tempDir(t)
  const { now } = Date
  const store = openStore({ dir }).scope(withClock(now))
  const [record, claimed] = [await create(store), await create(store)]
  const names = new FileNames(dir, 'session:')
  const unique = '3f2b7c1e-8a44-4d0e-9d2c-1b5f0a9e7c11'
  const passed = { deadline: 1_766_311_200_000, code: 5 }
  // Killed while it wrote, with claims on states that the record has left, and without a record.
  fs.writeFileSync(names.temporary(record.id, unique), '{"rev":')
  fs.linkSync(names.record(record.id), names.claim(record.id, passed, 3))
  fs.writeFileSync(names.claim(newRecord().id, passed, 0), '')
  // Killed between its claim and its rename, and nobody came across the claim.
  const from = timesOfRecord(claimed)
  const next = { ...claimed, rev: 2, write: createMark() }
  const step = names.step(claimed.id, from, timesOfRecord(next))
  fs.writeFileSync(step, JSON.stringify(next))
  fs.linkSync(step, names.claim(claimed.id, from, 0))
  const before = fs.readdirSync(dir).sort()
  t.is(await store.prune(), 0)
  t.deepEqual(fs.readdirSync(dir).sort(), before)

  // Their age is that of the inode's last change, which nobody can set: so it is the clock that goes forward.
  t.teardown(() => {
    Date.now = now
  })
  Date.now = () => now() + 3_700_000
  t.is(await store.prune(), 0)
  t.deepEqual(await store.read(record.id), record)
  // Nobody was told of that update: the sweep may finish it or remove it.
  t.true([1, 2].includes((await store.read(claimed.id))!.rev))
  t.like(await store.update(claimed.id, counting()), { data: { count: 1 } })
  await store.prune()
  t.deepEqual(leftovers(dir), [])
})

test('a sweep moves an expired file aside that is not a record, and sets the times of a copied record', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir })
  const torn = newRecord()
  fs.writeFileSync(fileOf(dir, torn.id), '{"rev":1')
  const copied = await create(store, newRecord({}, 3_600_000, { owner: 'momo' }))
  for (const { id } of [torn, copied]) fs.utimesSync(fileOf(dir, id), 5, 5)
  fs.rmSync(path.join(dir, 'owners'), { recursive: true })
  const reports = events(t, torn.id)
  t.is(await store.prune(), 0)
  t.deepEqual(reports, [{ type: 'corrupt', id: torn.id, reason: 'it is not JSON' }])
  t.is(leftovers(dir).filter((name) => name.endsWith('.corrupt')).length, 1)
  t.true(hasTimes(fs.lstatSync(fileOf(dir, copied.id)), timesOfRecord(copied)))
  // So that the sessions of a copied directory are found by their owner, even if the index was not copied.
  t.deepEqual(await all(store.ownedBy('momo')), [copied])
})
