import fs from 'node:fs'
import test from 'ava'
import { counting, create, fileOf, leftovers, newRecord, openStore, systemError, tempDir, through, until, type FileStore } from '../../support/files.js'

/** Stops at the n-th call of the file system, like a process that got SIGSTOP there, until `go` is called. */
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

/** Each store object stands for one process: they share nothing but the directory. */
function stores(dir: string, count: number): FileStore[] {
  return Array.from({ length: count }, () => openStore({ dir, threshold: 0 }))
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

test.serial('updates that are stopped at any two points and continued in any order are each applied exactly once', async (t) => {
  const dir = tempDir(t)
  const [a, b, c] = stores(dir, 3) as [FileStore, FileStore, FileStore]
  let most = 0
  await everyPair([12, 16], async (atA, atB, aFirst) => {
    const record = await create(c)
    const { id } = record
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

test.serial('a removal and an update that are stopped at any two points never leave a session that came back, and the removal answers the last state', async (t) => {
  const dir = tempDir(t)
  const [a, b, c] = stores(dir, 3) as [FileStore, FileStore, FileStore]
  await everyPair([12, 14], async (atA, atB, aFirst) => {
    const record = await create(c)
    const { id } = record
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
  const [dying, alive] = stores(dir, 2) as [FileStore, FileStore]
  for (let n = 1; ; n++) {
    const record = await create(alive)
    const { id } = record
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
    t.true(performance.now() - began < 4500, `dead before call ${n}`)
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
  test.serial(`if any call of an update fails with ${code}, the update is stored and acknowledged, or neither`, async (t) => {
    const dir = tempDir(t)
    const [failing, other] = stores(dir, 2) as [FileStore, FileStore]
    for (let n = 1; ; n++) {
      const record = await create(other)
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

  test.serial(`if any call of a creation fails with ${code}, there is the whole record or none`, async (t) => {
    const dir = tempDir(t)
    const [failing, other] = stores(dir, 2) as [FileStore, FileStore]
    for (let n = 1; ; n++) {
      const record = newRecord({ n }, 3_600_000, n % 2 ? { owner: 'momo' } : {})
      const calls: string[] = []
      const gate = (name: string, [path]: readonly unknown[]) => (calls.push(`${name} ${String(path)}`) === n ? systemError(code, name) : undefined)
      const made = await through(gate, () => failing.create(record.id, record)).catch(() => false)
      const { write: _, ...rest } = record
      const there = await other.read(record.id)
      t.is(there !== undefined, made, `call ${n}`)
      if (there) t.like(there, rest, `call ${n}`)
      // A temporary file that cannot be removed is left to the sweep.
      const left = leftovers(dir)
      t.is(left.length, /^unlink .*\.tmp$/.test(calls[n - 1] ?? '') ? 1 : 0, `call ${n}: ${left.join()}`)
      for (const name of left) fs.unlinkSync(`${dir}/${name}`)
      if (calls.length < n) break
    }
  })

  test.serial(`if any call of a removal fails with ${code}, the next removal succeeds`, async (t) => {
    const dir = tempDir(t)
    const [failing, other] = stores(dir, 2) as [FileStore, FileStore]
    for (let n = 1; ; n++) {
      const record = await create(other)
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
  const store = openStore({ dir })
  const record = await create(store)
  const before = await store.update(record.id, counting())
  let writes = 0
  const original = fs.write
  t.teardown(() => {
    fs.write = original
  })
  // The first write takes ten bytes, and the next one finds no room.
  fs.write = ((fd: number, data: Buffer, from: number, _length: number, position: null, done: (error: unknown, count: number) => void) =>
    ++writes === 1 ? original(fd, data, from, 10, position, done) : done(systemError('ENOSPC', 'write'), 0)) as unknown as typeof fs.write
  await t.throwsAsync(store.update(record.id, counting()), { code: 'ERR_SESSION_STORE', message: /ENOSPC.*free some room/ })
  t.is(writes, 2)
  t.deepEqual(await store.read(record.id), before)
  t.deepEqual(leftovers(dir), [])
})

for (const after of [10_000, 3_700_000]) {
  test.serial(`a creation that is stopped at any point is left alone by listings and sweeps ${after / 1000} s later, and is true only if the record is there`, async (t) => {
    const dir = tempDir(t)
    const [creating, other] = stores(dir, 2) as [FileStore, FileStore]
    const { now } = Date
    t.teardown(() => {
      Date.now = now
    })
    const answers = new Set<unknown>()
    for (let n = 1; ; n++) {
      const record = newRecord({ n }, 1e9, n % 2 ? { owner: 'momo' } : {})
      const pause = stopAt(n)
      const run = through(pause.gate, () => creating.create(record.id, record)).catch((error: unknown) => {
        t.is((error as { code?: string }).code, 'ERR_SESSION_STORE')
        t.regex((error as Error).message, /this process was stopped for too long/)
        return 'failed'
      })
      let ended = false
      void run.then(() => (ended = true))
      await until(() => pause.stopped() || ended)
      // The sweep judges the age of files, which nobody can set: so the clock goes forward.
      Date.now = () => now() + after
      const listed: unknown[] = []
      for await (const { id } of other.records()) listed.push(id)
      await other.prune()
      t.deepEqual(leftovers(dir).filter((name) => name.endsWith('.corrupt')), [], `stopped before call ${n}`)
      const before = await other.read(record.id)
      t.is(listed.includes(record.id), before !== undefined)
      pause.go()
      const answer = await run
      Date.now = now
      const there = await other.read(record.id)
      t.is(answer === true, there !== undefined, `stopped before call ${n}`)
      if (before) t.deepEqual(there, before, 'whole as soon as it is visible')
      answers.add(answer)
      if (!pause.stopped()) break
    }
    t.deepEqual(answers.has('failed'), after > 3_600_000)
    t.true(answers.has(true) && !answers.has(false))
    t.deepEqual(leftovers(dir), [])
  })
}

test.serial('an update that is stopped for so long that its file may have been swept is applied once, or fails', async (t) => {
  const [stopping, other] = stores(tempDir(t), 2) as [FileStore, FileStore]
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  const outcomes = new Set<string>()
  for (let n = 1; ; n++) {
    const record = await create(other, newRecord({}, 1e9))
    const pause = stopAt(n)
    const run = through(pause.gate, () => stopping.update(record.id, counting('stopped'), record)).catch((error: unknown) => {
      t.like(error, { code: 'ERR_SESSION_STORE' })
      return 'failed' as const
    })
    let ended = false
    void run.then(() => (ended = true))
    await until(() => pause.stopped() || ended)
    await other.update(record.id, counting('other'))
    Date.now = () => now() + 3_700_000
    await other.prune()
    await other.update(record.id, counting('other'))
    pause.go()
    const answer = await run
    Date.now = now
    const { data } = (await other.read(record.id))!
    t.is(data['other'], 2)
    t.true(data['stopped'] === 1 || (answer === 'failed' && data['stopped'] === undefined), `stopped before call ${n}`)
    outcomes.add(answer === 'failed' ? 'failed' : 'applied')
    if (!pause.stopped()) break
  }
  t.is(outcomes.size, 2)
})

test.serial('of creations of one id that are stopped at any two points exactly one is true, and its record stays', async (t) => {
  const [a, b, c] = stores(tempDir(t), 3) as [FileStore, FileStore, FileStore]
  await everyPair([8, 8], async (atA, atB, aFirst) => {
    const { id } = newRecord()
    const [stopA, stopB] = [stopAt(atA), stopAt(atB)]
    const runs = [
      through(stopA.gate, () => a.create(id, newRecord({ by: 'a' }, 3_600_000, { id }))),
      through(stopB.gate, () => b.create(id, newRecord({ by: 'b' }, 3_600_000, { id })))
    ] as const
    const ended = [false, false]
    for (const [at, run] of runs.entries()) void Promise.resolve(run).then(() => (ended[at] = true))
    await until(() => (stopA.stopped() || ended[0]!) && (stopB.stopped() || ended[1]!))
    const order = aFirst ? [stopA, stopB] : [stopB, stopA]
    order[0]!.go()
    await runs[aFirst ? 0 : 1]
    order[1]!.go()
    const [madeA, madeB] = await Promise.all(runs)
    t.is(Number(madeA) + Number(madeB), 1, `stopped before call ${atA} and ${atB}`)
    t.deepEqual((await c.read(id))?.data, { by: madeA ? 'a' : 'b' })
  })
})

for (const locking of ['auto', 'lockfile'] as const) {
  test.serial(`a record that came back from a copy, with the revision that was seen but another write, is not overwritten (locking: ${locking})`, async (t) => {
    const dir = tempDir(t)
    const [ours, theirs] = [openStore({ dir, locking }), openStore({ dir, locking })]
    const first = await create(ours)
    const path = fileOf(dir, first.id)
    const copy = { text: fs.readFileSync(path), stats: fs.lstatSync(path) }
    const lost = await ours.update(first.id, counting('lost'), first)
    fs.writeFileSync(path, copy.text)
    fs.utimesSync(path, copy.stats.atimeMs / 1000, copy.stats.mtimeMs / 1000)
    const kept = await theirs.update(first.id, counting('kept'))
    t.like(kept, { rev: 2, expires: lost!.expires })
    // Its file has the same revision, deadline and size as what this process wrote and remembers.
    t.deepEqual(await ours.read(first.id), kept)
    t.like(await ours.update(first.id, counting('more'), lost!), { rev: 3, data: { kept: 1, more: 1 } })
    t.deepEqual((await ours.destroy(first.id))?.data, { kept: 1, more: 1 })
  })
}
