import fs from 'node:fs'
import path from 'node:path'
import test, { type ExecutionContext } from 'ava'
import { SessionError, type SessionRecord } from '../../src/index.js'
import { recordEvents } from '../support/events.js'
import { all, leftovers, newRecord, openStore, tempDirInMemory, until, withClock, type FileStore } from '../support/files.js'
import { failing } from './codes.js'
import { under, type Call, type Plan } from './file-system.js'

const hour = 3_600_000
/** The clock of the cleanup. It is later than the deadline of some sessions, and old temporary files are removed. */
const later = (): number => Date.now() + 3 * hour
const threshold = 10
const users = 8
const visitors = 6
/** More than a call takes in any of the tests. A plan that is never hit ends the tries before. */
const mostCalls = 1000

/** After so many failed calls the disk is well again. */
const mostFailures = 20

type Manner = 'once' | 'from then on'

/** A directory with sessions of users and visitors, expired ones, and what dead processes left. */
interface Scene {
  readonly dir: string
  readonly users: readonly SessionRecord[]
  readonly visitors: readonly SessionRecord[]
}

async function build(t: ExecutionContext): Promise<Scene> {
  const dir = path.join(tempDirInMemory(t), 'sessions')
  const store = openStore({ dir, threshold: 0 })
  const make = (count: number, lifetime: number, owner?: string) =>
    Promise.all(
      Array.from({ length: count }, async (_, at) => {
        const record = newRecord({ at }, lifetime + at, owner === undefined ? {} : { owner })
        await store.create(record.id, record)
        return record
      })
    )
  const scene = { dir, users: await make(users, 20 * hour, 'momo'), visitors: await make(visitors, 10 * hour) }
  await make(2, hour)
  await make(2, hour, 'momo')
  fs.writeFileSync(path.join(dir, fs.readdirSync(dir).find((name) => name.endsWith('.json'))!.replace('.json', '.0123.tmp')), '{"torn')
  await store.close()
  return scene
}

/** Fails the n-th of the calls that can fail with a code. */
function planOf(code: string, manner: Manner, n: number): { plan: Plan; wasHit: () => boolean } {
  let calls = 0
  const isHit = (call: Call): boolean => failing[code]!(call) && (manner === 'once' ? ++calls === n : ++calls >= n)
  return { plan: (call) => (isHit(call) ? { code } : undefined), wasHit: () => calls >= n }
}

/** Lets the n-th call fail for n = 1, 2, 3 … until there is none. */
async function tryAll(t: ExecutionContext, code: string, manner: Manner, run: (plan: Plan) => Promise<void>): Promise<void> {
  const events = recordEvents(t)
  let n = 1
  for (; n < mostCalls; n++) {
    const { plan, wasHit } = planOf(code, manner, n)
    await run(plan)
    if (!wasHit()) break
  }
  t.true(n > 2 && n < mostCalls, `${n - 1} calls failed`)
  t.deepEqual(events.filter(({ type }) => type === 'corrupt'), [])
}

/** The result of a call. `undefined`: it failed with the error of a store. */
async function unlessFailed<T>(t: ExecutionContext, plan: Plan, call: () => Promise<T>): Promise<T | undefined> {
  try {
    return await under(plan, call)
  } catch (error) {
    t.true(error instanceof SessionError && error.status === 503, String((error as Error).stack))
    return undefined
  }
}

const idsOf = (records: readonly SessionRecord[]): string[] => records.map(({ id }) => id).toSorted()
const liveOf = (scene: Scene): string[] => idsOf([...scene.users, ...scene.visitors])

/** Sees what is stored with the clock of the cleanup. */
const witnessOf = ({ dir }: Scene): FileStore => openStore({ dir, threshold: 0 }).scope(withClock(later))

/** Runs a function while the system's clock is the cleanup's, which decides about the age of temporary files. */
async function atLaterTime<T>(run: () => Promise<T>): Promise<T> {
  const { now } = Date
  const time = later()
  Date.now = () => time
  try {
    return await run()
  } finally {
    Date.now = now
  }
}

function countRecords({ dir }: Scene): number {
  return fs.readdirSync(dir).filter((name) => name.endsWith('.json')).length
}

/** A lock that could not be released is held until it is stale. One that is released meanwhile needs nothing. */
function expireLocks(dir: string): void {
  for (const name of fs.readdirSync(dir).filter((each) => each.endsWith('.lock'))) {
    try {
      fs.utimesSync(path.join(dir, name), 0, 0)
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
    }
  }
}

const cases: readonly (readonly [code: string, manner: Manner])[] = [
  ['EIO', 'once'], ['EIO', 'from then on'], ['EACCES', 'once'], ['EMFILE', 'once'], ['EPERM', 'once'], ['EEXIST', 'once'], ['ENOSPC', 'from then on']
]
const creates = (code: string): boolean => /^(ENOSPC|EEXIST)$/.test(code)

for (const [code, manner] of cases) {
  test.serial(`whichever call of a sweep fails (${code}, ${manner}), no live session is lost, and the next sweep completes it`, async (t) => {
    await tryAll(t, code, manner, async (plan) => {
      const scene = await build(t)
      await atLaterTime(async () => {
        await unlessFailed(t, plan, () => openStore({ dir: scene.dir, threshold: 0 }).prune())
        const store = openStore({ dir: scene.dir, threshold: 0 })
        t.deepEqual(idsOf(await all(store.records())), liveOf(scene))
        t.deepEqual(idsOf(await all(store.ownedBy('momo'))), idsOf(scene.users))
        // The first removes what a failed removal left. The second removes its entry in the index of owners.
        await store.prune()
        await store.prune()
        t.deepEqual(leftovers(scene.dir), [])
        t.is(countRecords(scene), users + visitors)
        t.deepEqual(idsOf(await all(store.ownedBy('momo'))), idsOf(scene.users))
      })
    })
  })
}

for (const [code, manner] of cases.filter(([each]) => !creates(each))) {
  test.serial(`whichever call of a listing fails (${code}, ${manner}), it lists every live session or fails`, async (t) => {
    const scene = await build(t)
    await tryAll(t, code, manner, async (plan) => {
      const store = witnessOf(scene)
      const everyone = await unlessFailed(t, plan, () => all(store.records()))
      const owned = await unlessFailed(t, plan, () => all(store.ownedBy('momo')))
      if (everyone) t.deepEqual(idsOf(everyone), liveOf(scene))
      if (owned) t.deepEqual(idsOf(owned), idsOf(scene.users))
    })
    t.deepEqual(idsOf(await all(witnessOf(scene).records())), liveOf(scene))
  })
}

for (const [code, manner] of cases) {
  test.serial(`whichever call of an eviction fails (${code}, ${manner}), no user is logged out, and the next one holds the threshold`, async (t) => {
    await tryAll(t, code, manner, async (plan) => {
      const scene = await build(t)
      let failures = 0
      let isOver = false
      const store = openStore({ dir: scene.dir, threshold, sweepEvery: 1 }).scope(withClock(later))
      // The first call starts the sweeps, and each sweep starts an eviction.
      await under((call) => {
        const fault = isOver ? undefined : plan(call)
        if (fault) failures++
        return fault
      }, () => store.read('0'.repeat(64)).catch(() => undefined))
      await until(() => countRecords(scene) <= threshold || failures > mostFailures, { every: 1 })
      isOver = true
      expireLocks(scene.dir)
      await until(() => countRecords(scene) <= threshold)
      await store.close()
      t.deepEqual(idsOf(await all(witnessOf(scene).ownedBy('momo'))), idsOf(scene.users))
    })
  })
}
