import fs from 'node:fs'
import test from 'ava'
import { timesOfFile } from '../../../src/stores/file/file-times.js'
import { TextCache } from '../../../src/stores/file/session/session-files.js'
import { create, fileOf, newRecord, openStore, tempDir, through } from '../../support/files.js'

test('a record that another store of the directory wrote is read as it is now, however often the record was read before', async (t) => {
  const dir = tempDir(t)
  const [ours, theirs] = [openStore({ dir }), openStore({ dir })]
  const record = await create(ours, newRecord({ n: 0 }))
  for (let n = 1; n <= 9; n++) {
    await ours.read(record.id)
    // The same deadline and the same size each time.
    await theirs.update(record.id, (current) => ({ ...current, data: { n } }))
    t.deepEqual((await ours.read(record.id))?.data, { n })
    t.is((await ours.update(record.id, (current) => current))?.data['n'], n)
  }
})

test('a file that a person edited is read again, even if its size is the same', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir })
  const record = await create(store, newRecord({ name: 'momo' }))
  const path = fileOf(dir, record.id)
  fs.writeFileSync(path, fs.readFileSync(path, 'utf8').replace('momo', 'kiki'))
  t.deepEqual((await store.read(record.id))?.data, { name: 'kiki' })
  t.like(await store.update(record.id, (current) => ({ ...current, data: { ...current.data, seen: true } })), { data: { name: 'kiki', seen: true } })
})

test('a file whose times differ from those that the store set (a copied directory) is still read and updated', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir })
  const record = await create(store, newRecord({ n: 1 }))
  fs.utimesSync(fileOf(dir, record.id), 1_000_000, 2_000_000)
  t.deepEqual((await store.read(record.id))?.data, { n: 1 })
  t.is((await store.update(record.id, (current) => current, record))?.rev, 2)
})

test('a caller that changes a record it has read does not change later reads', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir })
  const record = newRecord({ list: [1] })
  await store.create(record.id, record)
  for (let n = 0; n < 3; n++) {
    const read = await store.read(record.id)
    t.deepEqual(read?.data, { list: [1] })
    ;(read!.data['list'] as number[]).push(2)
  }
})

test('a record that was removed is gone, however often it was read', async (t) => {
  const dir = tempDir(t)
  const [ours, theirs] = [openStore({ dir }), openStore({ dir })]
  const record = await create(ours)
  await theirs.destroy(record.id)
  t.is(await ours.read(record.id), undefined)
  t.is(await ours.update(record.id, (current) => current, record), undefined)
})

test('an update from a revision that this process has replaced reads first, and writes only once', async (t) => {
  const store = openStore({ dir: tempDir(t) })
  const seen = await create(store)
  await store.update(seen.id, (current) => ({ ...current, data: { n: 1 } }))
  let writes = 0
  const count = (name: string): undefined => {
    if (name === 'write') writes++
  }
  const written = await through(count, () => store.update(seen.id, (current) => ({ ...current, data: { ...current.data, m: 2 } }), seen))
  t.deepEqual(written?.data, { n: 1, m: 2 })
  t.is(writes, 1)
})

test('a record that is in the cache is read by one call of the file system, any other by four', async (t) => {
  const dir = tempDir(t)
  const [ours, theirs] = [openStore({ dir }), openStore({ dir })]
  const { id } = await create(ours)
  const calls: string[] = []
  const log = (name: string): undefined => {
    calls.push(name)
  }
  await through(log, () => ours.read(id))
  t.deepEqual(calls.splice(0), ['lstat'])
  await through(log, () => theirs.read(id))
  t.deepEqual(calls.splice(0), ['open', 'fstat', 'read', 'close'])
  await through(log, () => theirs.read(id))
  t.deepEqual(calls.splice(0), ['lstat'])
})

test('the cache has a bound, in number and in size', (t) => {
  const texts = new TextCache()
  const times = { deadline: 1, code: 1 }
  for (let n = 0; n < 5000; n++) texts.remember(String(n), 'text', times, 4)
  // At most 2000; after five times the half of it, the half that was used last.
  t.is(Array.from({ length: 5000 }, (_, n) => texts.get(String(n)) !== undefined).filter(Boolean).length, 1000)
  t.truthy(texts.get('4999'))
  texts.remember('large', 'x'.repeat(8193), times, 8193)
  t.is(texts.get('large'), undefined)
})

test('on a file system that does not keep times exactly, every read reads the file', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir })
  const { id } = await create(store)
  fs.utimesSync(fileOf(dir, id), 1_000_000, 2_000_000)
  t.is(timesOfFile(fs.lstatSync(fileOf(dir, id))), undefined)
  let looks = 0
  const count = (name: string): undefined => {
    if (name === 'lstat') looks++
  }
  for (let n = 0; n < 5; n++) t.is((await through(count, () => store.read(id)))?.id, id)
  t.is(looks, 1, 'for what was written')
})
