import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import fs from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import test, { type ExecutionContext } from 'ava'
import { channelName, type SessionEvent } from '../../../src/events.js'
import type { SessionRecord } from '../../../src/record/index.js'
import { FileNames } from '../../../src/stores/file/file-names.js'
import { hasTimes, timesOfRecord } from '../../../src/stores/file/file-times.js'
import { counting, fileOf, leftovers, newRecord, openStore, systemError, tempDir, through, until, withClock, type FileStore } from '../../support/files.js'
import { createWorkers } from '../../support/file-workers.js'

let workers: ReturnType<typeof createWorkers>
test.before(() => {
  workers = createWorkers()
})
test.after.always(() => workers?.close())

function recordsIn(dir: string): number {
  return fs.readdirSync(dir).filter((name) => name.endsWith('.json')).length
}

/** The ids of `evict` events. */
function evicted(t: ExecutionContext): string[] {
  const ids: string[] = []
  const listen = (message: unknown) => {
    const event = message as SessionEvent
    if (event.type === 'evict') ids.push(event.id)
  }
  subscribe(channelName, listen)
  t.teardown(() => void unsubscribe(channelName, listen))
  return ids
}

async function createAll(store: FileStore, records: readonly SessionRecord[]): Promise<void> {
  await Promise.all(records.map((record) => store.create(record.id, record)))
}

/** Waits until the store has removed what is over the threshold. */
async function settle(dir: string, threshold: number): Promise<void> {
  await until(() => recordsIn(dir) <= threshold && !fs.readdirSync(dir).includes('sweep.lock'))
}

test.serial('over the threshold, expired sessions are removed first, then those whose deadline is nearest, down to 90 %', async (t) => {
  const dir = tempDir(t)
  const clock = { now: Date.now() }
  const store = openStore({ dir, threshold: 50 }).scope(withClock(() => clock.now))
  const evictions = evicted(t)
  const warned: (Error & { code?: string })[] = []
  const listen = (warning: Error) => void warned.push(warning)
  process.on('warning', listen)
  t.teardown(() => void process.off('warning', listen))

  const expired = Array.from({ length: 10 }, () => newRecord({}, 1000))
  const live = Array.from({ length: 50 }, (_, at) => newRecord({}, 100_000 + at * 1000))
  await createAll(store, live.toReversed())
  await createAll(store, expired.slice(0, -1))
  clock.now += 2000
  await createAll(store, expired.slice(-1))
  await settle(dir, 50)
  await until(() => recordsIn(dir) === 45)
  for (const { id } of expired) t.false(fs.existsSync(fileOf(dir, id)))
  const left = await Promise.all(live.map(async ({ id }) => (await store.read(id)) !== undefined))
  t.deepEqual(left, live.map((_, at) => at >= 5))
  t.deepEqual(evictions.toSorted(), live.slice(0, 5).map(({ id }) => id).toSorted())
  t.is(warned.filter(({ code }) => code === 'SESSION_FILE_THRESHOLD').length, 1)
  t.regex(warned[0]!.message, /`threshold`.*SESSION_FILE_THRESHOLD/)

  await createAll(store, Array.from({ length: 10 }, () => newRecord()))
  await settle(dir, 50)
  await until(() => evictions.length === 15)
  t.is(warned.filter(({ code }) => code === 'SESSION_FILE_THRESHOLD').length, 1, 'once for each process')
  t.deepEqual(leftovers(dir), [])
})

test.serial('over the threshold, markers of moved sessions are removed first, then sessions without an owner, then owned ones', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, threshold: 50 })
  const evictions = evicted(t)
  // The owned ones have the nearest deadlines, and the markers the farthest.
  const owned = Array.from({ length: 30 }, (_, at) => newRecord({}, 100_000 + at * 1000, { owner: `user ${at}` }))
  const anonymous = Array.from({ length: 15 }, (_, at) => newRecord({}, 500_000 + at * 1000))
  const moved = Array.from({ length: 5 }, () => newRecord({}, 900_000))
  await createAll(store, [...owned, ...anonymous, ...moved])
  for (const { id } of moved) await store.update(id, (current) => ({ ...current, moved: true, data: {} }))
  const kept = async (records: SessionRecord[]) => (await Promise.all(records.map(({ id }) => store.read(id)))).map((record) => record !== undefined)

  const extra = newRecord({}, 800_000)
  await store.create(extra.id, extra)
  await until(() => recordsIn(dir) === 45)
  t.deepEqual(await kept(moved), moved.map(() => false))
  t.deepEqual(await kept(anonymous), anonymous.map((_, at) => at >= 1))
  t.deepEqual(await kept(owned), owned.map(() => true))
  t.deepEqual(evictions, [anonymous[0]!.id], 'a marker is no session that anybody misses')

  // When there are none but owned ones, those with the nearest deadlines go.
  await createAll(store, Array.from({ length: 40 }, (_, at) => newRecord({}, 200_000 + at * 1000, { owner: 'momo' })))
  await until(() => recordsIn(dir) === 45)
  t.deepEqual(await kept([...anonymous, extra]), [...anonymous, extra].map(() => false))
  t.deepEqual(await kept(owned), owned.map((_, at) => at >= 25))
  await until(() => leftovers(dir).length === 0)
  const { owner } = owned[0]!
  t.false(fs.existsSync(new FileNames(dir, 'session:').ownerEntry(new FileNames(dir, 'session:').owner(owner!), owned[0]!.id)), 'without an entry in the index')
})

test.serial('a visitor who logs in just before the session would be evicted stays logged in', async (t) => {
  const dir = tempDir(t)
  const [store, other] = [openStore({ dir, threshold: 40 }), openStore({ dir, threshold: 0 })]
  const visitors = Array.from({ length: 40 }, (_, at) => newRecord({}, 100_000 + at * 1000))
  await createAll(store, visitors)
  // The store remembers these as sessions without an owner.
  for (const { id } of visitors.slice(0, 8)) await other.update(id, (current) => ({ ...current, owner: 'momo' }))
  const extra = newRecord({}, 90_000_000)
  await store.create(extra.id, extra)
  await until(() => recordsIn(dir) === 36)
  const left = await Promise.all(visitors.map(async ({ id }) => (await store.read(id)) !== undefined))
  t.deepEqual(left, visitors.map((_, at) => at < 8 || at >= 13))
})

test.serial('a flood of visitors in four processes evicts no session of a logged-in user', async (t) => {
  const dir = tempDir(t)
  const threshold = 100
  const store = openStore({ dir, threshold })
  const users = Array.from({ length: 60 }, (_, at) => newRecord({}, 60_000 + at, { owner: `user ${at}` }))
  await createAll(store, users)
  const crew = Array.from({ length: 4 }, () => workers.start({ dir, threshold }))
  const done = crew.map((worker) => worker.next())
  // Their deadlines are far behind those of the users.
  for (const worker of crew) worker.send({ task: 'fill', records: 250, lifetime: 3_600_000 })
  const flood = { isOver: false }
  void Promise.all(done).then(() => (flood.isOver = true))
  while (!flood.isOver) {
    for (const { id } of users.slice(0, 10)) t.not(await store.update(id, counting()), undefined)
  }
  await settle(dir, threshold)
  for (const { id } of users) t.not(await store.read(id), undefined)
  await Promise.all(crew.map((worker) => worker.kill('SIGTERM')))
})

test.serial('no file is opened to evict sessions without an owner', async (t) => {
  const dir = tempDir(t)
  const [store, others] = [openStore({ dir, threshold: 50 }), openStore({ dir, threshold: 0 })]
  await createAll(others, Array.from({ length: 60 }, () => newRecord()))
  const calls: string[] = []
  const log = (name: string, [path]: readonly unknown[]): undefined => {
    if (name === 'open' && String(path).endsWith('.json')) calls.push(String(path))
  }
  await through(log, () => createAll(store, Array.from({ length: 20 }, () => newRecord())))
  await until(() => recordsIn(dir) === 45)
  t.deepEqual(calls, [])
})

test.serial('after four processes have created ten times the threshold, the number of sessions falls below it', async (t) => {
  const dir = tempDir(t)
  const threshold = 100
  const crew = Array.from({ length: 4 }, () => workers.start({ dir, threshold }))
  const done = crew.map((worker) => worker.next())
  for (const worker of crew) worker.send({ task: 'fill', records: 250, lifetime: 3_600_000 })
  await Promise.all(done)
  await settle(dir, threshold)
  // Nothing is created any more, so it does not come back.
  t.true(recordsIn(dir) <= threshold)
  t.true(recordsIn(dir) >= 80)
  await Promise.all(crew.map((worker) => worker.kill('SIGTERM')))
})

test.serial('a session that is used while it is about to be evicted is either kept or removed whole', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, threshold: 30 })
  const records = Array.from({ length: 90 }, () => newRecord())
  await createAll(store, records)
  const survivors = new Set<string>()
  while (recordsIn(dir) > 30) {
    await Promise.all(
      records.map(async ({ id }) => {
        const written = await store.update(id, (current) => ({ ...counting()(current), expires: current.expires + 1 }))
        if (written) survivors.add(id)
        else survivors.delete(id)
      })
    )
  }
  await settle(dir, 30)
  for (const { id } of records) {
    const record = await store.read(id)
    if (record) t.is(record.data['count'], record.rev - 1)
  }
  await until(() => leftovers(dir).length === 0)
})

test.serial('with threshold 0 every session is kept', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, threshold: 0 })
  await createAll(store, Array.from({ length: 300 }, () => newRecord()))
  // Longer than until the first count.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  t.is(recordsIn(dir), 300)
})

test.serial('a copied directory with fresh times loses nothing, and is sorted by what the records say', async (t) => {
  const dir = tempDir(t)
  const before = openStore({ dir, threshold: 0 })
  const records = Array.from({ length: 40 }, (_, at) => newRecord({}, 100_000 + at * 100_000))
  await createAll(before, records)
  // The other way round, and all in the past.
  for (const [at, { id }] of records.entries()) fs.utimesSync(fileOf(dir, id), 1000 - at, 1000 - at)
  const store = openStore({ dir, threshold: 40 })
  t.is(await store.prune(), 0)
  t.is(recordsIn(dir), 40)
  for (const [at, { id }] of records.entries()) fs.utimesSync(fileOf(dir, id), 1000 - at, 1000 - at)
  const extra = newRecord({}, 90_000)
  await store.create(extra.id, extra)
  await settle(dir, 40)
  await until(() => recordsIn(dir) === 36)
  const left = await Promise.all(records.map(async ({ id }) => (await store.read(id)) !== undefined))
  t.deepEqual(left, records.map((_, at) => at >= 4))
})

test.serial('a deadline that another process moved counts as it is now', async (t) => {
  const dir = tempDir(t)
  const [store, other] = [openStore({ dir, threshold: 40 }), openStore({ dir, threshold: 0 })]
  const records = Array.from({ length: 40 }, (_, at) => newRecord({}, 100_000 + at * 100_000))
  await createAll(store, records)
  for (const { id } of records.slice(0, 6)) await other.update(id, (current) => ({ ...current, expires: current.expires + 80_000_000 }))
  const extra = newRecord({}, 90_000_000)
  await store.create(extra.id, extra)
  await settle(dir, 40)
  await until(() => recordsIn(dir) === 36)
  const left = await Promise.all(records.map(async ({ id }) => (await store.read(id)) !== undefined))
  t.deepEqual(left, records.map((_, at) => at < 6 || at >= 11))
  for (const { id } of records.slice(0, 6)) t.true(hasTimes(fs.lstatSync(fileOf(dir, id)), timesOfRecord((await store.read(id))!)), 'its times stay')
})

test.serial('a deadline that another process moved to an earlier time is known after sweepEvery, even if other processes do the sweeps', async (t) => {
  const dir = tempDir(t)
  const [store, other] = [openStore({ dir, threshold: 40, sweepEvery: 1400 }), openStore({ dir, threshold: 0 })]
  fs.mkdirSync(`${dir}/sweep.lock`)
  const records = Array.from({ length: 40 }, (_, at) => newRecord({}, 100_000 + at * 100_000))
  await createAll(store, records)
  const last = records.at(-1)!
  await other.update(last.id, (current) => ({ ...current, expires: current.created + 50_000 }))
  // Longer than until the first count, and the first sweep, which does nothing while another process sweeps.
  await new Promise((resolve) => setTimeout(resolve, 1500))
  fs.rmdirSync(`${dir}/sweep.lock`)
  const extra = newRecord({}, 90_000_000)
  await store.create(extra.id, extra)
  await settle(dir, 40)
  await until(() => recordsIn(dir) === 36)
  t.is(await store.read(last.id), undefined)
  await store.close()
})

test.serial('no sweeps pile up behind one that takes longer than sweepEvery', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, threshold: 0, sweepEvery: 200 })
  const record = newRecord()
  let [blocked, looks] = [true, 0]
  const gate = async (name: string) => {
    if (name !== 'lstat') return undefined
    await until(() => !blocked)
    looks++
    return undefined
  }
  await through(gate, () => store.create(record.id, record))
  await new Promise((resolve) => setTimeout(resolve, 1500))
  blocked = false
  await until(() => looks > 0)
  await new Promise((resolve) => setTimeout(resolve, 60))
  t.true(looks <= 3, `${looks} sweeps at once`)
  await store.close()
})

test.serial('an eviction also removes sessions that other processes created after the count', async (t) => {
  const dir = tempDir(t)
  const [store, others] = [openStore({ dir, threshold: 100 }), openStore({ dir, threshold: 0 })]
  await createAll(store, Array.from({ length: 101 }, () => newRecord({}, 100_000)))
  // The store has counted by then, and counts again only over the threshold.
  await until(() => recordsIn(dir) === 90)
  for (let n = 0; n < 15; n++) await createAll(others, Array.from({ length: 100 }, () => newRecord({}, 200_000)))
  const last = newRecord({}, 300_000)
  await createAll(store, [last, ...Array.from({ length: 10 }, () => newRecord({}, 100_000))])
  await until(() => recordsIn(dir) === 90)
  t.not(await store.read(last.id), undefined)
  await store.close()
  t.is(recordsIn(dir), 90)
})

test.serial('a store that is closed during an eviction ends after the removals in progress', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, threshold: 100 })
  let removals = 0
  let closing: Promise<void> | undefined
  const gate = async (name: string, [file]: readonly unknown[]) => {
    if (name === 'unlink' && String(file).endsWith('.json') && ++removals === 10) closing = store.close()
    return undefined
  }
  await through(gate, () => createAll(store, Array.from({ length: 200 }, () => newRecord())))
  await until(() => closing !== undefined)
  await closing
  // With the removals that were in progress side by side.
  t.true(removals < 20, String(removals))
  t.is(recordsIn(dir), 200 - removals)
  t.deepEqual(leftovers(dir), [])
})

test.serial('when a removal fails, the lock is released only after the other removals in progress have ended', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, threshold: 40 })
  let removals = 0
  const locked: boolean[] = []
  const gate = async (name: string, [file]: readonly unknown[]) => {
    if (name !== 'unlink' || !String(file).endsWith('.json')) return undefined
    if (++removals === 1) return systemError('EIO', name)
    await new Promise((resolve) => setTimeout(resolve, 20))
    locked.push(fs.existsSync(`${dir}/sweep.lock`))
    return undefined
  }
  await through(gate, () => createAll(store, Array.from({ length: 60 }, (_, at) => newRecord({}, 100_000 + at * 1000))))
  await until(() => recordsIn(dir) <= 40)
  await store.close()
  t.true(locked.length >= 20)
  t.deepEqual(locked.filter((held) => !held), [])
})

test.serial('sessions that are gone are swept in the background, by one process at a time', async (t) => {
  const dir = tempDir(t)
  const clock = { now: Date.now() }
  const store = openStore({ dir, sweepEvery: 20 }).scope(withClock(() => clock.now))
  const [short, long] = [newRecord({}, 1000), newRecord()]
  // Another process is sweeping, so this one does nothing, for many times the interval.
  fs.mkdirSync(`${dir}/sweep.lock`)
  await createAll(store, [short, long])
  clock.now += 62_000
  await new Promise((resolve) => setTimeout(resolve, 200))
  t.true(fs.existsSync(fileOf(dir, short.id)))
  fs.rmdirSync(`${dir}/sweep.lock`)
  await until(() => !fs.existsSync(fileOf(dir, short.id)))
  t.deepEqual(await store.read(long.id), long)
  await store.close()
  t.deepEqual(leftovers(dir), [])
})

test.serial('another process takes over the lock of a dead one on the directory', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, sweepEvery: 20 })
  const short = newRecord({}, -60_000)
  fs.mkdirSync(`${dir}/sweep.lock`)
  fs.utimesSync(`${dir}/sweep.lock`, 5, 5)
  await store.create(short.id, short)
  await until(() => !fs.existsSync(fileOf(dir, short.id)))
  await store.close()
  t.deepEqual(fs.readdirSync(dir), [])
})

test.serial('no request waits while thousands of sessions are removed', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, threshold: 0 })
  const records = Array.from({ length: 3000 }, () => newRecord())
  for (let at = 0; at < records.length; at += 100) await createAll(store, records.slice(at, at + 100))
  const busy = openStore({ dir, threshold: 500 })
  const delay = monitorEventLoopDelay({ resolution: 5 })
  const extra = newRecord({}, 7_200_000)
  await busy.create(extra.id, extra)
  delay.enable()
  const waits: number[] = []
  while (recordsIn(dir) > 500) {
    for (let n = 0; n < 50; n++) {
      const began = performance.now()
      await busy.read(extra.id)
      waits.push(performance.now() - began)
    }
  }
  delay.disable()
  waits.sort((a, b) => a - b)
  // Generous, because the machine of a test is shared.
  t.log(`reads: ${waits[waits.length >> 1]!.toFixed(2)} ms, 99 % under ${waits[Math.floor(waits.length * 0.99)]!.toFixed(1)} ms; loop: 99 % under ${(delay.percentile(99) / 1e6).toFixed(1)} ms`)
  t.true(waits[Math.floor(waits.length * 0.99)]! < 100)
  t.true(delay.percentile(90) / 1e6 < 50)
  await busy.close()
})

test.serial('removing a session for each new one at the threshold takes no more calls of the file system than creating it', async (t) => {
  /** The calls of the file system while a thousand sessions are created beside a thousand others. */
  const callsAt = async (threshold: number): Promise<number> => {
    const dir = tempDir(t)
    let calls = 0
    await through(() => void calls++, async () => {
      const store = openStore({ dir, threshold })
      await createAll(store, Array.from({ length: 1000 }, () => newRecord()))
      calls = 0
      for (let n = 0; n < 20; n++) await createAll(store, Array.from({ length: 50 }, () => newRecord()))
      if (threshold > 0) await settle(dir, threshold)
      await store.close()
    })
    return calls
  }
  const [below, at] = [await callsAt(0), await callsAt(1000)]
  t.log(`${below} calls below, ${at} at the threshold`)
  t.true(below >= 1000 && at <= 2 * below)
})
