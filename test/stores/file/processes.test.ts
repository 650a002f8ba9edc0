import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import { readRecord } from '../../../src/record/index.js'
import { counting, create, fileOf, leftovers, newRecord, openStore, tempDir, until } from '../../support/files.js'
import { createWorkers, isStopped, type Worker } from '../../support/file-workers.js'

let workers: ReturnType<typeof createWorkers>
test.before(() => {
  workers = createWorkers()
})
test.after.always(() => workers?.close())

for (const locking of ['auto', 'lockfile'] as const) {
  test.serial(`four processes that count in one session at once count exactly (locking: ${locking})`, async (t) => {
    const dir = tempDir(t)
    const store = openStore({ dir, locking })
    const record = await create(store)
    const crew = Array.from({ length: 4 }, () => workers.start({ dir, locking }))
    const done = crew.map((worker) => worker.next())
    for (const [at, worker] of crew.entries()) {
      worker.send({ task: 'count', id: record.id, times: 50, key: 'all' })
      worker.send({ task: 'count', id: record.id, times: 1, key: `own${at}` })
    }
    await Promise.all(done)
    await until(async () => Object.keys((await store.read(record.id))!.data).length === 5)
    await until(async () => (await store.read(record.id))!.rev === 205)
    t.deepEqual((await store.read(record.id))?.data, { all: 200, own0: 1, own1: 1, own2: 1, own3: 1 })
    await Promise.all(crew.map((worker) => worker.kill('SIGTERM')))
  })

  test.serial(`of removals and updates in four processes none brings a session back (locking: ${locking})`, async (t) => {
    const dir = tempDir(t)
    const store = openStore({ dir, locking })
    const records = await Promise.all(Array.from({ length: 40 }, () => create(store)))
    const ids = records.map(({ id }) => id)
    const crew = Array.from({ length: 4 }, () => workers.start({ dir, locking }))
    const answers = crew.map((worker) => worker.next() as Promise<number[]>)
    for (const [at, worker] of crew.entries()) worker.send({ task: 'race', ids, destroys: at % 2 === 0 })
    const [removedA, updatedA, removedB, updatedB] = (await Promise.all(answers)) as [number[], number[], number[], number[]]
    for (const [at, id] of ids.entries()) {
      t.is(await store.read(id), undefined)
      t.is(await store.update(id, counting(), records[at]), undefined)
      const last = Math.max(removedA[at]!, removedB[at]!)
      t.is(Math.min(removedA[at]!, removedB[at]!), 0, 'one answers the last state')
      t.true(last === 0 || last === Math.max(1, updatedA[at]!, updatedB[at]!), 'which is the last that was committed')
    }
    await Promise.all(crew.map((worker) => worker.kill('SIGTERM')))
    await until(() => leftovers(dir).length === 0)
  })
}

test.serial('under 210 kills at random moments no acknowledged write is lost, and no record is ever torn', async (t) => {
  t.timeout(180_000)
  const dir = tempDir(t)
  const store = openStore({ dir, threshold: 0 })
  const shared = await Promise.all(Array.from({ length: 3 }, () => create(store, newRecord({ text: 'y'.repeat(3000) }))))
  const acknowledged = new Map<string, number>()
  const created = new Set<string>()
  const destroyed = new Set<string>()
  let name = 0
  let kills = 0

  async function oneLife(): Promise<void> {
    const own = `w${name++}`
    const worker = workers.start({ dir, threshold: 0 })
    let heard = false
    const begun = new Promise<void>((resolve) => {
      worker.onMessage((message) => {
        const { id, count, created: made, destroyed: gone } = message as { id: string; count: number; created?: string; destroyed?: string }
        if (made) created.add(made)
        else if (gone) destroyed.add(gone)
        else acknowledged.set(`${id} ${own}`, count)
        if (!heard) resolve()
        heard = true
      })
    })
    worker.send({ task: 'churn', worker: own, ids: shared.map(({ id }) => id) })
    await begun
    await new Promise((resolve) => setTimeout(resolve, randomInt(40)))
    await worker.kill()
    kills++
    const before = [...acknowledged]
    for (const { id } of shared) {
      const record = await store.read(id)
      if (!record) return t.fail('a session is lost')
      for (const [key, count] of before) {
        const [of, by] = key.split(' ') as [string, string]
        if (of === id && ((record.data[by] as number | undefined) ?? 0) < count) t.fail(`an acknowledged write of ${by} is lost`)
      }
    }
    for (const file of fs.readdirSync(dir)) t.false(file.endsWith('.corrupt'))
  }

  await Promise.all(
    Array.from({ length: 6 }, async () => {
      while (kills < 210) await oneLife()
    })
  )
  t.true(kills >= 210)
  for (const file of fs.readdirSync(dir).filter((each) => each.endsWith('.json'))) {
    const id = /([0-9a-f]{64})\.json$/.exec(file)![1]!
    t.false(destroyed.has(id), 'what was removed stays removed')
    t.true('record' in readRecord(fs.readFileSync(path.join(dir, file), 'utf8'), id), 'every record is whole, acknowledged or not')
  }
  // Every session can still be changed at once, whatever the dead left.
  for (const { id } of shared) {
    const began = performance.now()
    const after = await store.update(id, counting('after'))
    t.is(after?.data['after'], 1)
    t.true(performance.now() - began < 4500, 'no update waits for a dead process for 5 s')
    for (const [key, count] of acknowledged) if (key.startsWith(id)) t.true((after!.data[key.split(' ')[1]!] as number) >= count)
    await store.destroy(id)
    t.is(await store.read(id), undefined)
  }
  t.log(`${kills} kills, ${acknowledged.size} counters, ${created.size} creations, ${leftovers(dir).length} left over`)
})

const steps = ['open', 'write', 'futimes', 'link', 'rename', 'unlink'] as const
for (const before of steps) {
  test.serial(`a process that is stopped before ${before} of an update, and continued, overwrites nothing`, async (t) => {
    const dir = tempDir(t)
    const store = openStore({ dir })
    const record = await create(store)
    const worker = workers.start({ dir })
    await stopped(worker, { before, id: record.id, method: 'update' })
    const began = performance.now()
    for (let n = 0; n < 5; n++) await store.update(record.id, counting('others'))
    // Each would wait for 5 s.
    t.true(performance.now() - began < 20_000, 'nobody waits for it')
    const answer = worker.next()
    worker.child.kill('SIGCONT')
    t.like(await answer, { value: { data: { stopped: 1 } } })
    t.deepEqual((await store.read(record.id))?.data, { others: 5, stopped: 1 })
    t.is((await store.read(record.id))?.rev, 7)
    await worker.kill()
    t.deepEqual(leftovers(dir), [])
  })
}

// The calls before these belong to the trial whether the file system has hard links.
for (const [before, nth] of [['write', 2], ['futimes', 1], ['close', 2], ['link', 2], ['unlink', 3]] as const) {
  test.serial(`a process that is stopped before ${before} of a creation, and continued, has created the session, and nobody took it for a torn one`, async (t) => {
    const dir = tempDir(t)
    const store = openStore({ dir })
    await create(store)
    const { id } = newRecord()
    const worker = workers.start({ dir })
    await stopped(worker, { before, nth, id, method: 'create' })
    t.is(leftovers(dir).filter((name) => name.includes(id)).length, 1)
    const seen = await store.read(id)
    t.is(seen !== undefined, before === 'unlink')
    for await (const record of store.records()) t.not(record.id, seen ? '' : id)
    t.is(await store.prune(), 0)
    const answer = worker.next()
    worker.child.kill('SIGCONT')
    t.deepEqual(await answer, { value: true })
    t.is((await store.read(id))?.id, id)
    await worker.kill()
    t.deepEqual(leftovers(dir), [])
  })
}

for (const before of ['link', 'unlink'] as const) {
  test.serial(`a process that is stopped before ${before} of a removal, and continued, answers the last state or nothing`, async (t) => {
    const dir = tempDir(t)
    const store = openStore({ dir })
    const record = await create(store)
    const worker = workers.start({ dir })
    await stopped(worker, { before, id: record.id, method: 'destroy' })
    const written = await store.update(record.id, counting('others'))
    const answer = worker.next()
    worker.child.kill('SIGCONT')
    t.like(await answer, { value: { rev: written?.rev ?? 1 } })
    t.is(await store.read(record.id), undefined)
    t.is(await store.update(record.id, counting(), record), undefined)
    await worker.kill()
    t.deepEqual(leftovers(dir), [])
  })
}

test.serial('with lock files, a lock that a dead process left holds nobody up for 5 s', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, locking: 'lockfile' })
  const record = await create(store)
  const worker = workers.start({ dir, locking: 'lockfile' })
  await stopped(worker, { before: 'rename', id: record.id, method: 'update' })
  await worker.kill()
  t.true(leftovers(dir).some((name) => name.endsWith('.lock')))
  const began = performance.now()
  t.deepEqual((await store.update(record.id, counting()))?.data, { count: 1 })
  t.true(performance.now() - began < 5000)
})

test.serial('with lock files, a holder that is stopped past the stale limit and continued overwrites nothing', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir, locking: 'lockfile' })
  const record = await create(store)
  const worker = workers.start({ dir, locking: 'lockfile' })
  // With the lock in its hands, before it looks at the revision: the lock is somebody else's when it goes on.
  await stopped(worker, { before: 'lstat', id: record.id, method: 'update' })
  t.true(leftovers(dir).some((name) => name.endsWith('.lock')))
  await store.update(record.id, counting('others'))
  const answer = worker.next()
  worker.child.kill('SIGCONT')
  t.like(await answer, { value: { data: { stopped: 1 } } })
  t.deepEqual((await store.read(record.id))?.data, { others: 1, stopped: 1 })
  await worker.kill()
  t.true(fs.existsSync(fileOf(dir, record.id)))
})

async function stopped(worker: Worker, order: { before: string; nth?: number; id: string; method: 'create' | 'update' | 'destroy' }): Promise<void> {
  worker.send({ task: 'stop', ...order })
  await until(() => isStopped(worker.child))
}
