import { setImmediate } from 'node:timers/promises'
import test from 'ava'
import { memoryStore } from '../../src/index.js'
import { Counts } from '../../src/cli/copy-counts.js'
import { SessionCopy } from '../../src/cli/copy-sessions.js'
import { isUntouchedCopy, type SessionRecord, type SessionStore } from '../../src/store/index.js'
import { contentOf, contentsOf, seed } from '../support/cli-sessions.js'

// Two stores in memory, and the steps of one copy. test/cli/stores.test.ts runs the command on every store.

interface Options {
  readonly removes?: boolean
  readonly dryRun?: boolean
  readonly restore?: boolean
  readonly from?: string
  readonly to?: string
}

async function copy(source: SessionStore, target: SessionStore, { removes = false, dryRun = false, restore = false, from = 'one', to = 'two' }: Options = {}): Promise<Record<string, number>> {
  const counts = new Counts()
  const sessionCopy = new SessionCopy(source, target, { from, to, dryRun, restore }, counts)
  await sessionCopy.removeEnded(await sessionCopy.review(removes, () => undefined))
  await sessionCopy.copyAll(() => undefined)
  const names = ['copied', 'updated', 'unchanged', 'kept', 'removed'] as const
  const all = Object.fromEntries(names.map((name): [string, number] => [name, counts.count(name)]))
  return Object.fromEntries(Object.entries({ ...all, leftOut: counts.leftOut }).filter(([, count]) => count > 0))
}

const use = (store: SessionStore, { id }: SessionRecord, data: SessionRecord['data'] = { used: true }) =>
  store.update(id, (current) => ({ ...current, used: Date.now(), expires: current.expires + 1000, data }))

const stores = () => [memoryStore(), memoryStore()] as const

test('a copy has the same id, times, owner and data', async (t) => {
  const [source, target] = stores()
  const [record] = await seed(source, [{ owner: '17', permanent: true, lifetime: 5000, created: 5, data: { cart: ['tea'] } }])
  t.deepEqual(await copy(source, target), { copied: 1 })
  t.deepEqual(contentOf(await target.read(record!.id)), contentOf(record))
  const owned: string[] = []
  for await (const { id } of target.ownedBy!('17')) owned.push(id)
  t.deepEqual(owned, [record!.id])
})

test('a sealed record is copied as it is', async (t) => {
  const [source, target] = stores()
  const [record] = await seed(source, [{ owner: '17', sealed: 'c2VhbGVk', data: {} }])
  await copy(source, target)
  t.deepEqual(contentOf(await target.read(record!.id)), contentOf(record))
})

test('fields of a later version are copied too', async (t) => {
  const [source, target] = stores()
  const [record] = await seed(source, [{ later: { field: 1 } } as Partial<SessionRecord>])
  await copy(source, target)
  t.deepEqual(contentOf(await target.read(record!.id)), contentOf(record))
})

test('a copy may be repeated: it takes what has changed since, each time', async (t) => {
  const [source, target] = stores()
  const records = await seed(source, [{}, {}, {}])
  t.deepEqual(await copy(source, target), { copied: 3 })
  t.deepEqual(await copy(source, target), { unchanged: 3 })
  for (let round = 0; round < 3; round++) {
    await use(source, records[0]!, { round })
    await seed(source, [{}])
    t.deepEqual(await copy(source, target), { copied: 1, updated: 1, unchanged: 2 + round })
    t.deepEqual(await contentsOf(target), await contentsOf(source))
  }
})

test('a session that the application of the target has changed is never overwritten', async (t) => {
  const [source, target] = stores()
  const [only, both] = await seed(source, [{}, {}])
  await copy(source, target)
  const kept = [await use(target, only!, { by: 'target' }), await use(target, both!, { by: 'target' })]
  await use(source, both!, { by: 'source' })
  for (const removes of [false, true]) t.deepEqual(await copy(source, target, { removes }), { kept: 1, leftOut: 1 })
  t.deepEqual([await target.read(only!.id), await target.read(both!.id)], kept)
})

test('an id that the target has without a copy is left out', async (t) => {
  const [source, target] = stores()
  const [record] = await seed(source, [{}])
  const [other] = await seed(target, [{ id: record!.id, data: { by: 'target' } }])
  t.deepEqual(await copy(source, target), { leftOut: 1 })
  t.deepEqual(await target.read(record!.id), other)
})

test('--delete removes copies whose sessions have ended in the source, and nothing else', async (t) => {
  const [source, target] = stores()
  const [ended, changed, live] = await seed(source, [{}, {}, {}])
  const [foreign] = await seed(target, [{}])
  await copy(source, target)
  await use(target, changed!)
  for (const record of [ended!, changed!]) await source.destroy(record.id)
  t.deepEqual(await copy(source, target), { unchanged: 1 }, 'not without --delete')
  t.deepEqual(await copy(source, target, { removes: true }), { removed: 1, unchanged: 1 })
  t.deepEqual([...(await contentsOf(target)).keys()].toSorted(), [changed!.id, live!.id, foreign!.id].toSorted())
})

test('a session that got a new sid in the source is a marker in the target, so that the old sid opens nothing and a late request is recognised', async (t) => {
  const [source, target] = stores()
  const [old] = await seed(source, [{ owner: '17' }])
  await copy(source, target)
  const [next] = await seed(source, [{ owner: '17' }])
  await source.update(old!.id, ({ rev, write, id, created, used }) => ({ rev, write, id, created, used, expires: Date.now() + 60_000, permanent: false, moved: true, movedTo: next!.id, data: {} }))
  t.deepEqual(await copy(source, target, { removes: true }), { copied: 1, removed: 1 })
  const marker = await target.read(old!.id)
  t.deepEqual([marker?.moved, marker?.movedTo, marker?.owner, marker?.data], [true, next!.id, undefined, {}])
  t.deepEqual([...(await contentsOf(target)).keys()], [next!.id])
  t.deepEqual(await copy(source, target, { removes: true }), { unchanged: 1 })
})

test('a session that has ended in the target does not come back when the copy is repeated', async (t) => {
  const [source, target] = stores()
  const [ended, , active] = await seed(source, [{}, {}, {}])
  await copy(source, target)
  await use(target, active!)
  await target.destroy(ended!.id)
  t.deepEqual(await copy(source, target, { removes: true }), { unchanged: 1, kept: 1, leftOut: 1 })
  t.is(await target.read(ended!.id), undefined)
  t.deepEqual(await copy(source, target, { restore: true }), { copied: 1, unchanged: 1, kept: 1 })
})

test('a session that has ended in the target does not come back, also if nobody has done anything else there', async (t) => {
  const [source, target] = stores()
  const [ended] = await seed(source, [{ used: Date.now() - 3_600_000 }, {}])
  await copy(source, target)
  await target.destroy(ended!.id)
  t.deepEqual(await copy(source, target), { unchanged: 1, leftOut: 1 })
  t.is(await target.read(ended!.id), undefined)
})

test('a session that ends in the target while the copy is repeated does not come back', async (t) => {
  const [source, target] = stores()
  const [ended] = await seed(source, [{ used: Date.now() - 3_600_000 }, {}])
  await copy(source, target)
  const ending: SessionStore = { ...target, async read(id) { if (id === ended!.id) await target.destroy(id); return target.read(id) } }
  t.deepEqual(await copy(source, ending), { unchanged: 1, leftOut: 1 })
})

test('a copy that was interrupted or has failed is completed by the next one', async (t) => {
  const [source, target] = stores()
  const records = await seed(source, Array.from({ length: 5 }, () => ({ used: Date.now() - 3_600_000 })))
  const failing: SessionStore = { ...target, create: (id, record) => { if (id === records[2]!.id) throw new Error('the disk is full'); return target.create(id, record) } }
  t.deepEqual(await copy(source, failing), { copied: 4, leftOut: 1 })
  t.deepEqual(await copy(source, target), { copied: 1, unchanged: 4 })
})

test('a copy in the wrong direction brings back no session that has ended in the meantime', async (t) => {
  const [source, target] = stores()
  const [ended, changed] = await seed(source, [{}, {}, {}])
  await copy(source, target)
  await source.destroy(ended!.id)
  const kept = await use(source, changed!)
  const back = { from: 'two', to: 'one', removes: true }
  t.deepEqual(await copy(target, source, back), { unchanged: 1, leftOut: 2 })
  t.deepEqual([await source.read(ended!.id), await source.read(changed!.id)], [undefined, kept])
  const empty = memoryStore()
  t.deepEqual(await copy(target, empty, back), { copied: 3 }, 'an empty target of the same name is no longer the source')
})

test('a target that forgets sessions by itself gets them again', async (t) => {
  const [source, target] = stores()
  delete target.records
  const [forgotten] = await seed(source, [{ used: Date.now() - 3_600_000 }, {}])
  await copy(source, target)
  await target.destroy(forgotten!.id)
  t.deepEqual(await copy(source, target), { copied: 1, unchanged: 1 })
})

test('sessions of several sources can be copied to one target', async (t) => {
  const [source, target] = stores()
  const other = memoryStore()
  await seed(source, [{ used: Date.now() - 3_600_000 }])
  await seed(other, [{ used: Date.now() - 3_600_000 }])
  t.deepEqual(await copy(source, target), { copied: 1 })
  t.deepEqual(await copy(other, target, { from: 'other' }), { copied: 1 })
})

test('a session that is new in the source is copied, also if the target is in use', async (t) => {
  const [source, target] = stores()
  await seed(source, [{}])
  await copy(source, target)
  // Somebody tries the application on the new store between the two copies.
  await seed(target, [{}])
  await seed(source, [{ used: Date.now() }])
  t.deepEqual(await copy(source, target, { removes: true }), { copied: 1, unchanged: 1 })
})

test('sessions can go back to the store from which they came, with what they have become', async (t) => {
  const [source, target] = stores()
  const [changed, same] = await seed(source, [{}, {}])
  await copy(source, target)
  await use(target, changed!, { by: 'target' })
  const [fresh] = await seed(target, [{}])
  t.deepEqual(await copy(target, source), { copied: 1, updated: 1, unchanged: 1 })
  t.deepEqual(await contentsOf(source), await contentsOf(target))
  await use(source, changed!, { by: 'source' })
  await use(source, fresh!, { by: 'source' })
  t.deepEqual(await copy(source, target), { updated: 2, unchanged: 1 })
  t.deepEqual(await contentsOf(target), await contentsOf(source))
  t.truthy(same)
})

test('a store that was copied by other means, as a whole, is unchanged', async (t) => {
  const [source, target] = stores()
  const records = await seed(source, [{}, {}])
  for (const record of records) await target.create(record.id, record)
  t.deepEqual(await copy(source, target), { unchanged: 2 })
})

test('a copy whose deadline has just passed is renewed by a session that was used since', async (t) => {
  const [source, target] = stores()
  const [record] = await seed(source, [{ expires: Date.now() + 100_000 }])
  await copy(source, target)
  await target.update(record!.id, (current) => ({ ...current, expires: Date.now() - 1000, copied: { ...(current as { copied?: object }).copied, rev: current.rev + 1 } }) as SessionRecord)
  await use(source, record!)
  t.deepEqual(await copy(source, target), { updated: 1 })
  t.deepEqual(await contentsOf(target), await contentsOf(source))
})

test('--dry-run counts the same and writes nothing', async (t) => {
  const [source, target] = stores()
  const records = await seed(source, [{}, {}, {}])
  const dryRun = { removes: true, dryRun: true }
  t.deepEqual(await copy(source, target, dryRun), { copied: 3 })
  t.is((await contentsOf(target)).size, 0)
  await copy(source, target)
  const before = await contentsOf(target)
  await use(source, records[0]!)
  await source.destroy(records[1]!.id)
  t.deepEqual(await copy(source, target, dryRun), { updated: 1, removed: 1, unchanged: 1 })
  t.deepEqual(await contentsOf(target), before)
})

test('two copies at the same time bring each session once', async (t) => {
  const [source, target] = stores()
  await seed(source, Array.from({ length: 50 }, () => ({})))
  const all = await Promise.all([copy(slow(source), slow(target)), copy(slow(source), slow(target))])
  t.is(all.reduce((sum, { copied = 0 }) => sum + copied, 0), 50, JSON.stringify(all))
  t.deepEqual(await contentsOf(target), await contentsOf(source))
  for await (const record of target.records!()) t.true(isUntouchedCopy(record))
})

test('a session that ends in the target while it is copied again does not come back', async (t) => {
  const [source, target] = stores()
  const [record] = await seed(source, [{}])
  await copy(source, target)
  await use(source, record!)
  const ending: SessionStore = { ...target, update: async (id, recipe, seen) => { await target.destroy(id); return target.update(id, recipe, seen) } }
  t.deepEqual(await copy(source, ending), { kept: 1 })
  t.is(await target.read(record!.id), undefined)
})

test('a failure leaves one session out and copies the others; many in a row end the copy', async (t) => {
  const [source, target] = stores()
  const records = await seed(source, Array.from({ length: 60 }, () => ({})))
  const failing = (fails: (id: string) => boolean): SessionStore => ({ ...target, create: (id, record) => { if (fails(id)) throw new Error('the disk is full'); return target.create(id, record) } })
  await t.throwsAsync(copy(source, failing(() => true)), { message: 'the disk is full' })
  t.deepEqual(await copy(source, failing((id) => id === records[7]!.id)), { copied: 59, leftOut: 1 })
})

test('at most sixteen sessions are copied at once', async (t) => {
  const [source, target] = stores()
  await seed(source, Array.from({ length: 100 }, () => ({})))
  let now = 0
  let most = 0
  const counted: SessionStore = {
    ...target,
    async create(id, record) {
      most = Math.max(most, ++now)
      await setImmediate()
      now--
      return target.create(id, record)
    }
  }
  t.deepEqual(await copy(source, counted), { copied: 100 })
  t.is(most, 16)
})

/** The same store, whose calls take turns with those of others. */
function slow(store: SessionStore): SessionStore {
  return {
    ...store,
    async read(id) {
      await setImmediate()
      return store.read(id)
    },
    async create(id, record) {
      await setImmediate()
      return store.create(id, record)
    }
  }
}
