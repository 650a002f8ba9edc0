import fs from 'node:fs'
import test from 'ava'
import { fileStore } from '../../../src/index.js'
import { isStamped, timesOf } from '../../../src/stores/file/stamp.js'
import { createTexts } from '../../../src/stores/file/texts.js'
import { fileOf, newRecord, tempDir } from '../../support/files.js'

test('what another store of the directory wrote is read, however often the record was read before', async (t) => {
  const dir = tempDir(t)
  const [ours, theirs] = [fileStore({ dir }), fileStore({ dir })]
  const record = newRecord({ n: 0 })
  await ours.create(record.id, record)
  for (let n = 1; n <= 9; n++) {
    await ours.read(record.id)
    // The same deadline and the same size each time.
    await theirs.update(record.id, (current) => ({ ...current, data: { n } }))
    t.deepEqual((await ours.read(record.id))?.data, { n })
    t.is((await ours.update(record.id, (current) => current))?.data['n'], n)
  }
})

test('a file that a person edited is read anew, also when its size stays', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  const record = newRecord({ name: 'momo' })
  await store.create(record.id, record)
  await store.read(record.id)
  const path = fileOf(dir, record.id)
  fs.writeFileSync(path, fs.readFileSync(path, 'utf8').replace('momo', 'kiki'))
  t.deepEqual((await store.read(record.id))?.data, { name: 'kiki' })
  t.like(await store.update(record.id, (current) => ({ ...current, data: { ...current.data, seen: true } })), { data: { name: 'kiki', seen: true } })
})

test('a file with other times than its own, as a copied directory has them, is read and updated all the same', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  const record = newRecord({ n: 1 })
  await store.create(record.id, record)
  const read = await store.read(record.id)
  fs.utimesSync(fileOf(dir, record.id), 1_000_000, 2_000_000)
  t.deepEqual((await store.read(record.id))?.data, { n: 1 })
  t.is((await store.update(record.id, (current) => current, read))?.rev, 2)
})

test('what was read can be changed without changing what is read next', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  const record = newRecord({ list: [1] })
  await store.create(record.id, record)
  for (let n = 0; n < 3; n++) {
    const read = await store.read(record.id)
    t.deepEqual(read?.data, { list: [1] })
    ;(read!.data['list'] as number[]).push(2)
  }
})

test('a record that is gone is gone, however often it was read', async (t) => {
  const dir = tempDir(t)
  const [ours, theirs] = [fileStore({ dir }), fileStore({ dir })]
  const record = newRecord()
  await ours.create(record.id, record)
  await ours.read(record.id)
  await theirs.destroy(record.id)
  t.is(await ours.read(record.id), undefined)
  t.is(await ours.update(record.id, (current) => current, record), undefined)
})

test('a stamp tells revision and deadline, to the millisecond, and nothing else passes for it', (t) => {
  const file = tempDir(t) + '/stamped'
  fs.writeFileSync(file, '')
  const now = Date.now()
  for (const stamp of [{ rev: 1, expires: now + 60_001 }, { rev: 4096, expires: now + 3_600_007 }, { rev: 999_999, expires: now + 9_999_999_999 }]) {
    const { atime, mtime } = timesOf(stamp)
    fs.utimesSync(file, atime, mtime)
    const stats = fs.lstatSync(file)
    t.true(isStamped(stats, stamp))
    t.false(isStamped(stats, { ...stamp, rev: stamp.rev + 1 }))
    t.false(isStamped(stats, { ...stamp, rev: stamp.rev - 1 }))
    t.false(isStamped(stats, { ...stamp, expires: stamp.expires + 1 }))
    fs.readFileSync(file)
    t.true(isStamped(fs.lstatSync(file), stamp), 'also after it was read')
  }
})

test('what is remembered has a bound, in number and in size', (t) => {
  const texts = createTexts()
  for (let n = 0; n < 5000; n++) texts.remember(String(n), 'text', { rev: 1, expires: 1 })
  // At most 2000; after five times the half of it, the half that was used last.
  t.is(Array.from({ length: 5000 }, (_, n) => texts.has(String(n))).filter(Boolean).length, 1000)
  t.true(texts.has('4999'))
  texts.remember('large', 'x'.repeat(8193), { rev: 1, expires: 1 })
  t.false(texts.has('large'))
})

test('where times are not kept as they are set, nothing is looked up for long', (t) => {
  const texts = createTexts()
  texts.remember('a', 'text', { rev: 1, expires: 1 })
  for (let n = 0; n < 49; n++) texts.missed()
  t.true(texts.has('a'))
  texts.missed()
  t.false(texts.has('a'))
})
