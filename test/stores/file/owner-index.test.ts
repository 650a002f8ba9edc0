import { randomInt } from 'node:crypto'
import fs from 'node:fs'
import path from 'node:path'
import test from 'ava'
import type { SessionRecord } from '../../../src/record/index.js'
import { defaultScope } from '../../../src/store/index.js'
import { FileNames } from '../../../src/stores/file/file-names.js'
import { all, counting, create, newRecord, openStore, systemError, tempDir, tempDirInMemory, through, until, type FileStore } from '../../support/files.js'
import { createWorkers } from '../../support/file-workers.js'

let workers: ReturnType<typeof createWorkers>
test.before(() => {
  workers = createWorkers()
})
test.after.always(() => workers?.close())

const hour = 3_600_000

function ownedRecord(owner = 'momo', lifetime = 1e9): SessionRecord {
  return newRecord({}, lifetime, { owner })
}

async function idsOf(store: FileStore, owner = 'momo'): Promise<string[]> {
  return (await all(store.ownedBy(owner))).map(({ id }) => id).toSorted()
}

/** The names of an owner's entries. */
function entries(dir: string, owner = 'momo'): string[] {
  const ownerDir = new FileNames(dir, 'session:').owner(owner)
  return fs.existsSync(ownerDir) ? fs.readdirSync(ownerDir) : []
}

/** A gate that lets n - 1 calls through and no more: the process is dead from then on. */
function dieAt(n: number): { gate: () => Promise<undefined> | undefined; died: () => boolean } {
  let calls = 0
  return {
    gate: () => (++calls < n ? undefined : new Promise(() => undefined)),
    died: () => calls >= n
  }
}

test('entries are empty files of the mode of a record, in directories for their owner only', async (t) => {
  const dir = path.join(tempDir(t), 'sessions')
  const { id } = await create(openStore({ dir, mode: 0o640 }), ownedRecord())
  const names = new FileNames(dir, 'session:')
  const entry = fs.statSync(names.ownerEntry(names.owner('momo'), id))
  t.is(entry.size, 0)
  t.is(entry.mode & 0o777, 0o640)
  for (const each of [dir, names.owners, names.owner('momo')]) t.is(fs.statSync(each).mode & 0o777, 0o700, each)
})

test('the entry is removed with the session, and at once when the session moves to a new sid', async (t) => {
  const dir = tempDir(t)
  const store = openStore({ dir })
  const [ended, removed, moved, expired] = [ownedRecord(), ownedRecord(), ownedRecord(), ownedRecord('momo', -60_000)]
  for (const record of [ended, removed, moved, expired]) await store.create(record.id, record)
  t.is(entries(dir).length, 4)
  await store.destroy(ended.id)
  await store.update(removed.id, () => null)
  await store.update(moved.id, (current) => ({ ...current, moved: true, data: {} }))
  t.is(await store.prune(), 1)
  t.deepEqual(entries(dir), [])
})

test('an update of a session that keeps its owner makes no call for the index', async (t) => {
  const store = openStore({ dir: tempDir(t) })
  const record = await create(store, ownedRecord())
  const seen: unknown[] = []
  const log = (_name: string, args: readonly unknown[]): undefined => {
    if (String(args[0]).includes('owners')) seen.push(args[0])
  }
  await through(log, () => store.update(record.id, counting(), record))
  t.deepEqual(seen, [])
  await through(log, () => store.destroy(record.id))
  t.is(seen.length, 1)
})

const changes: readonly [string, (store: FileStore, record: SessionRecord) => Promise<unknown>][] = [
  ['a creation', (store, record) => store.create(record.id, { ...record, owner: 'momo' })],
  ['an update that sets the owner', (store, record) => store.update(record.id, (current) => ({ ...current, owner: 'momo' }), record)],
  ['a removal', (store, record) => store.destroy(record.id)]
]
for (const [what, change] of changes) {
  test.serial(`after a process has died before any call of ${what}, a session that can be read as the owner's is listed`, async (t) => {
    const dir = tempDir(t)
    const other = openStore({ dir })
    let seen = 0
    for (let n = 1; ; n++) {
      const dying = openStore({ dir })
      const record = what === 'a creation' ? newRecord() : await create(other, newRecord({}, 1e9, what === 'a removal' ? { owner: 'momo' } : {}))
      const death = dieAt(n)
      let ended = false
      void through(death.gate, () => change(dying, record)).then(() => (ended = true))
      await until(() => death.died() || ended)
      const check = async (): Promise<void> => {
        const isOwned = (await other.read(record.id))?.owner === 'momo'
        t.is((await idsOf(other)).includes(record.id), isOwned, `died before call ${n}`)
        if (isOwned) seen++
      }
      await check()
      // Another process finishes what the dead one has claimed.
      await other.update(record.id, counting())
      await check()
      await other.destroy(record.id)
      if (ended) break
    }
    t.true(seen > 2, String(seen))
  })

  test.serial(`after a failure of any call of ${what}, a session that can be read as the owner's is listed`, async (t) => {
    const dir = tempDir(t)
    const [failing, other] = [openStore({ dir }), openStore({ dir })]
    for (let n = 1; ; n++) {
      const record = what === 'a creation' ? newRecord() : await create(other, newRecord({}, 1e9, what === 'a removal' ? { owner: 'momo' } : {}))
      let calls = 0
      const gate = (name: string) => (++calls === n ? systemError('EIO', name) : undefined)
      await through(gate, () => change(failing, record)).catch(() => undefined)
      const isOwned = (await other.read(record.id))?.owner === 'momo'
      t.is((await idsOf(other)).includes(record.id), isOwned, `call ${n} failed`)
      if (calls < n) break
    }
  })
}

// Alone: they move the system's clock.
test.serial('a sweep drops entries without a record when they are older than two hours, and directories without an entry', async (t) => {
  const dir = tempDir(t)
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  const store = openStore({ dir })
  const names = new FileNames(dir, 'session:')
  const kept = await create(store, ownedRecord())
  const other = await create(store.scope({ ...defaultScope, prefix: 'other:' }), ownedRecord())
  // This session belonged to lea once, for all that can be known, and may be about to belong to her again.
  const changed = await create(store, ownedRecord('lea'))
  await store.update(changed.id, (current) => ({ ...current, owner: 'kim' }))
  const stale = newRecord().id
  fs.writeFileSync(names.ownerEntry(names.owner('momo'), stale), '')
  const gone = await create(store, ownedRecord('gone'))
  await store.destroy(gone.id)
  fs.mkdirSync(path.join(names.owners, 'foreign'))
  fs.writeFileSync(path.join(names.owners, 'README'), '')
  fs.writeFileSync(path.join(names.owner('momo'), 'README'), '')

  Date.now = () => now() + 1.9 * hour
  await store.prune()
  t.is(entries(dir).length, 4)
  t.false(fs.existsSync(names.owner('gone')))
  Date.now = () => now() + 2.1 * hour
  await store.prune()
  t.deepEqual(entries(dir).toSorted(), ['README', `session%3a${kept.id}`, `other%3a${other.id}`].toSorted())
  t.is(entries(dir, 'lea').length, 1)
  t.deepEqual(await idsOf(store), [kept.id])
  t.deepEqual(await idsOf(store, 'lea'), [])
  t.deepEqual(await idsOf(store, 'kim'), [changed.id])
  t.true(fs.existsSync(path.join(names.owners, 'foreign')))
})

test.serial('a login that is stopped at any point for hours, while others sweep, is either listed or fails', async (t) => {
  const dir = tempDir(t)
  const { now } = Date
  t.teardown(() => {
    Date.now = now
  })
  const [logging, other] = [openStore({ dir }), openStore({ dir })]
  const outcomes = new Set<string>()
  for (let n = 1; ; n++) {
    const record = ownedRecord(`user ${n}`)
    let calls = 0
    let go: (() => void) | undefined
    const gone = new Promise<void>((resolve) => {
      go = resolve
    })
    let stopped = false
    const gate = async (): Promise<undefined> => {
      if (++calls !== n) return
      stopped = true
      await gone
    }
    let ended = false
    const run = through(gate, () => logging.create(record.id, record)).catch(() => 'failed' as const)
    void run.then(() => (ended = true))
    await until(() => stopped || ended)
    Date.now = () => now() + 2.1 * hour
    await other.prune()
    go?.()
    const answer = await run
    const listed = await idsOf(other, `user ${n}`)
    t.deepEqual(listed, answer === true ? [record.id] : [], `stopped before call ${n}`)
    outcomes.add(String(answer))
    Date.now = now
    if (!stopped) break
  }
  t.deepEqual([...outcomes].toSorted(([a], [b]) => (a! < b! ? -1 : 1)), ['failed', 'true'])
})

test.serial('while directories of owners are swept and made again, no login fails and none is missed', async (t) => {
  const dir = tempDir(t)
  const [store, other] = [openStore({ dir }), openStore({ dir })]
  for (let round = 0; round < 60; round++) {
    const records = Array.from({ length: 4 }, () => ownedRecord())
    await Promise.all([...records.map(({ id }, at) => store.create(id, records[at]!)), other.prune()])
    t.deepEqual(await idsOf(other), records.map(({ id }) => id).toSorted())
    await Promise.all([...records.map(({ id }) => store.destroy(id)), other.prune()])
  }
  t.deepEqual(await idsOf(other), [])
})

test.serial('after kills at random moments in four processes every acknowledged login is listed until it ends, and nobody else', async (t) => {
  t.timeout(120_000)
  const dir = tempDir(t)
  const store = openStore({ dir, threshold: 0 })
  await create(store, ownedRecord('kim'))
  const owned = new Set<string>()
  let kills = 0
  await Promise.all(
    Array.from({ length: 4 }, async () => {
      while (kills < 40) {
        const worker = workers.start({ dir, threshold: 0 })
        const begun = new Promise<void>((resolve) => {
          worker.onMessage((message) => {
            const report = message as { owned?: string; ending?: string }
            if (report.owned) owned.add(report.owned)
            if (report.ending) owned.delete(report.ending)
            resolve()
          })
        })
        worker.send({ task: 'login', owner: 'momo' })
        await begun
        await new Promise((resolve) => setTimeout(resolve, randomInt(40)))
        await worker.kill()
        kills++
        const expected = [...owned]
        const listed = new Set(await idsOf(store))
        for (const id of expected) if (owned.has(id)) t.true(listed.has(id), 'an acknowledged login is not listed')
      }
    })
  )
  for (const record of await all(store.ownedBy('momo'))) t.is(record.owner, 'momo')
  t.true(owned.size >= 40)
})

test.serial('ten thousand owners with one session each, and one owner with ten thousand, are listed whole', async (t) => {
  t.timeout(300_000)
  const store = openStore({ dir: tempDirInMemory(t), threshold: 0 })
  const many = Array.from({ length: 10_000 }, () => ownedRecord('many'))
  const single = Array.from({ length: 10_000 }, (_, at) => ownedRecord(`user ${at}`))
  for (let at = 0; at < 10_000; at += 50) {
    await Promise.all([...many.slice(at, at + 50), ...single.slice(at, at + 50)].map((record) => store.create(record.id, record)))
  }
  t.deepEqual(await idsOf(store, 'many'), many.map(({ id }) => id).toSorted())
  const began = performance.now()
  for (let at = 0; at < 10_000; at += 20) t.deepEqual(await idsOf(store, single[at]!.owner), [single[at]!.id])
  t.log(`${((performance.now() - began) / 500).toFixed(2)} ms to list one of ten thousand owners`)
  await Promise.all(many.slice(0, 200).map(({ id }) => store.destroy(id)))
  t.deepEqual(await idsOf(store, 'many'), many.slice(200).map(({ id }) => id).toSorted())
})
