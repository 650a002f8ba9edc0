import fs from 'node:fs'
import test from 'ava'
import type { SessionStore } from '../../../src/store.js'
import { fileStore } from '../../../src/stores/file.js'
import { counting, fileOf, leftovers, newRecord, systemError, tempDir, through, until } from '../../support/files.js'

/** Stops at its n-th call of the file system, like a process that got SIGSTOP there, until it is told to go on. */
function stopAt(n: number): { gate: () => Promise<undefined>; stopped: () => boolean; go: () => void; calls: () => number } {
  let calls = 0
  let stopped = false
  let go: (() => void) | undefined
  const gone = new Promise<void>((resolve) => {
    go = resolve
  })
  return {
    async gate() {
      if (++calls !== n) return
      stopped = true
      await gone
    },
    stopped: () => stopped,
    go: () => go?.(),
    calls: () => calls
  }
}

// One store object each stands for one process: they share nothing but the directory.
function stores(dir: string, count: number): SessionStore[] {
  return Array.from({ length: count }, () => fileStore({ dir, threshold: 0 }))
}

/** Runs a round for stops at every pair of calls, many at a time, each on a record of its own. */
async function everyPair(most: readonly [number, number], round: (a: number, b: number, aFirst: boolean) => Promise<void>): Promise<void> {
  const rounds: [number, number, boolean][] = []
  for (let a = 1; a <= most[0]; a++) for (let b = 1; b <= most[1]; b++) rounds.push([a, b, true], [a, b, false])
  await Promise.all(
    Array.from({ length: 24 }, async () => {
      for (let next = rounds.pop(); next; next = rounds.pop()) await round(...next)
    })
  )
}

test.serial('updates stopped at any two points, continued in any order, are each applied exactly once', async (t) => {
  const dir = tempDir(t)
  const [a, b, c] = stores(dir, 3) as [SessionStore, SessionStore, SessionStore]
  let most = 0
  await everyPair([12, 16], async (atA, atB, aFirst) => {
    const record = newRecord()
    const { id } = record
    await c.create(id, record)
    const [stopA, stopB] = [stopAt(atA), stopAt(atB)]
    const runA = through(stopA.gate, () => a.update(id, counting('a'), record))
    let endedA = false
    void runA.then(() => (endedA = true))
    await until(() => stopA.stopped() || endedA)
    const runB = through(stopB.gate, () => b.update(id, counting('b')))
    let endedB = false
    void runB.then(() => (endedB = true))
    await until(() => stopB.stopped() || endedB)
    for (let n = 0; n < 3; n++) await c.update(id, counting('c'))
    const order = [stopA, stopB]
    if (!aFirst) order.reverse()
    order[0]!.go()
    await (aFirst ? runA : runB)
    await c.update(id, counting('c'))
    order[1]!.go()
    await Promise.all([runA, runB])
    most = Math.max(most, stopA.calls())
    const where = `stopped before call ${atA} and ${atB}, ${aFirst ? 'first' : 'second'} continued first`
    t.deepEqual((await c.read(id))?.data, { a: 1, b: 1, c: 4 }, where)
    t.is((await c.read(id))?.rev, 7, where)
  })
  t.true(most >= 10, 'the stops reach to the end of an update')
  t.deepEqual(leftovers(dir), [])
})

test.serial('a removal and an update stopped at any two points never leave a session that came back, and the removal answers the last state', async (t) => {
  const dir = tempDir(t)
  const [a, b, c] = stores(dir, 3) as [SessionStore, SessionStore, SessionStore]
  await everyPair([12, 14], async (atA, atB, aFirst) => {
    const record = newRecord()
    const { id } = record
    await c.create(id, record)
    const [stopA, stopB] = [stopAt(atA), stopAt(atB)]
    const runA = through(stopA.gate, () => a.destroy(id))
    const runB = through(stopB.gate, () => b.update(id, counting('b'), record))
    const ended = { a: false, b: false }
    void runA.then(() => (ended.a = true))
    void runB.then(() => (ended.b = true))
    await until(() => (stopA.stopped() || ended.a) && (stopB.stopped() || ended.b))
    const seenByC = await c.update(id, counting('c'))
    if (aFirst) stopA.go()
    else stopB.go()
    await (aFirst ? runA : runB)
    if (aFirst) t.is(await c.read(id), undefined)
    stopA.go()
    stopB.go()
    const [last, written] = await Promise.all([runA, runB])
    const where = `stopped before call ${atA} and ${atB}, ${aFirst ? 'removal' : 'update'} continued first`
    t.is(await c.read(id), undefined, where)
    t.deepEqual(last?.data, { ...(written ? { b: 1 } : {}), ...(seenByC ? { c: 1 } : {}) }, where)
    t.is(await c.update(id, counting()), undefined, where)
    t.false(fs.existsSync(fileOf(dir, id)), where)
  })
  t.deepEqual(leftovers(dir), [])
})

test.serial('an update that dies before any of its calls leaves a whole record, and the next one is done soon', async (t) => {
  const dir = tempDir(t)
  const [dying, alive] = stores(dir, 2) as [SessionStore, SessionStore]
  for (let n = 1; ; n++) {
    const record = newRecord()
    const { id } = record
    await alive.create(id, record)
    const death = stopAt(n)
    const run = through(death.gate, () => dying.update(id, counting('dying'), record))
    let ended = false
    void run.then(() => (ended = true))
    await until(() => death.stopped() || ended)
    if (ended) break
    const before = await alive.read(id)
    t.not(before, undefined, `dead before call ${n}`)
    const began = performance.now()
    const after = await alive.update(id, counting('alive'))
    t.true(performance.now() - began < 2000, `dead before call ${n}`)
    t.is(after?.data['alive'], 1)
    t.true((after?.data['dying'] ?? 0) === 1 || before?.data['dying'] === undefined, 'what was readable stays')
    t.like(await alive.destroy(id), { rev: after!.rev })
    t.is(await alive.read(id), undefined)
    death.go()
    await run
    t.is(await alive.read(id), undefined)
  }
})

const codes = ['EIO', 'EMFILE', 'ENOSPC', 'EACCES'] as const

for (const code of codes) {
  test.serial(`whichever call of an update fails with ${code}, it is stored and acknowledged, or neither`, async (t) => {
    const dir = tempDir(t)
    const [failing, other] = stores(dir, 2) as [SessionStore, SessionStore]
    for (let n = 1; ; n++) {
      const record = newRecord()
      await other.create(record.id, record)
      let calls = 0
      const gate = (name: string) => (++calls === n ? systemError(code, name) : undefined)
      const written = await through(gate, () => failing.update(record.id, counting('failing'), record)).catch((error: unknown) => {
        t.like(error, { name: 'SessionError', code: 'ERR_SESSION_STORE', status: 503 }, `call ${n}`)
        return 'failed'
      })
      const expected = written === 'failed' ? {} : { failing: 1 }
      t.deepEqual((await other.read(record.id))?.data, expected, `call ${n}`)
      t.deepEqual((await other.update(record.id, counting('other')))?.data, { ...expected, other: 1 }, `call ${n}: heals by itself`)
      t.deepEqual(await failing.update(record.id, counting('failing')), await other.read(record.id))
      if (calls < n) break
    }
    t.deepEqual(leftovers(dir).filter((name) => name.endsWith('.tmp')), [])
  })

  test.serial(`whichever call of a creation fails with ${code}, there is the whole record or none`, async (t) => {
    const dir = tempDir(t)
    const [failing, other] = stores(dir, 2) as [SessionStore, SessionStore]
    for (let n = 1; ; n++) {
      const record = newRecord({ n })
      let calls = 0
      const gate = (name: string) => (++calls === n ? systemError(code, name) : undefined)
      const made = await through(gate, () => failing.create(record.id, record)).catch(() => false)
      t.deepEqual(await other.read(record.id), made ? record : undefined, `call ${n}`)
      if (calls < n) break
    }
    t.deepEqual(leftovers(dir), [])
  })

  test.serial(`whichever call of a removal fails with ${code}, the next one removes`, async (t) => {
    const dir = tempDir(t)
    const [failing, other] = stores(dir, 2) as [SessionStore, SessionStore]
    for (let n = 1; ; n++) {
      const record = newRecord()
      await other.create(record.id, record)
      let calls = 0
      const gate = (name: string) => (++calls === n ? systemError(code, name) : undefined)
      const last = await through(gate, () => failing.destroy(record.id)).catch(() => 'failed')
      if (last !== 'failed') t.deepEqual(last, record)
      if (last !== 'failed') t.is(await other.read(record.id), undefined)
      await other.destroy(record.id)
      t.is(await other.read(record.id), undefined)
      if (calls < n) break
    }
  })
}

test.serial('a full disk that takes only a part of a write leaves the record as it was', async (t) => {
  const dir = tempDir(t)
  const store = fileStore({ dir })
  const record = newRecord()
  await store.create(record.id, record)
  const before = await store.update(record.id, counting())
  let writes = 0
  const original = fs.write
  t.teardown(() => {
    fs.write = original
  })
  // The first write takes ten bytes, and the next one finds no room.
  fs.write = ((fd: number, data: Buffer, from: number, _length: number, position: null, done: (error: unknown, count: number) => void) =>
    ++writes === 1 ? original(fd, data, from, 10, position, done) : done(systemError('ENOSPC', 'write'), 0)) as unknown as typeof fs.write
  await t.throwsAsync(store.update(record.id, counting()), { code: 'ERR_SESSION_STORE', message: /no room.*ENOSPC/ })
  t.is(writes, 2)
  t.deepEqual(await store.read(record.id), before)
  t.deepEqual(leftovers(dir), [])
})
