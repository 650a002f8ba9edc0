import assert from 'node:assert/strict'
import { createMark, createWriter, writeRecord } from '../store/index.js'
import { count, removeMine, withKey } from './recipes.js'
import type { Case } from './fixture.js'

/** Cases with calls that are in progress at once, in one store and in two on the same backend. */
export const raceCases: readonly Case[] = [
  [
    'parallel updates of different keys are all kept',
    async ({ store, another, newRecord, capabilities }) => {
      const record = newRecord({})
      await store.create(record.id, record)
      const stores = [store, (await another()) ?? store]
      const names = Array.from({ length: capabilities.parallel }, (_, at) => `key${at}`)
      await Promise.all(names.map((name, at) => stores[at % 2]!.update(record.id, (current) => withKey(current, name, at))))
      const last = await store.read(record.id)
      assert.deepEqual(last?.data, Object.fromEntries(names.map((name, at) => [name, at])))
      assert.equal(last.rev, 1 + names.length)
    }
  ],
  [
    'parallel counting is exact, even if each update has seen an old record',
    async ({ store, another, newRecord, capabilities }) => {
      const record = newRecord({ count: 0 })
      await store.create(record.id, record)
      const stores = [store, (await another()) ?? store]
      const seen = await store.read(record.id)
      const all = Array.from({ length: capabilities.parallel }, (_, at) => stores[at % 2]!.update(record.id, count, seen))
      const revisions = (await Promise.all(all)).map((written) => written?.rev ?? 0)
      assert.equal((await store.read(record.id))?.data['count'], all.length)
      assert.deepEqual(new Set(revisions), new Set(all.map((_, at) => at + 2)), 'each wrote a revision of its own')
    }
  ],
  [
    'a recipe runs again on the newest record when the record that was seen is stale',
    async ({ store, newRecord }) => {
      const record = newRecord({})
      await store.create(record.id, record)
      const stale = await store.read(record.id)
      await store.update(record.id, (current) => withKey(current, 'first', 1))
      const given: number[] = []
      const written = await store.update(
        record.id,
        (current) => {
          given.push(current.rev)
          return withKey(current, 'second', 2)
        },
        stale
      )
      assert.equal(given.at(-1), 2)
      assert.deepEqual(written?.data, { first: 1, second: 2 })
      assert.equal(written.rev, 3)
      assert.deepEqual(await store.read(record.id), written)
    }
  ],
  [
    'a recipe that returns null for a stale record does not remove a newer record that it would keep',
    async ({ store, newRecord }) => {
      const record = newRecord({ mine: 1 })
      await store.create(record.id, record)
      const stale = await store.read(record.id)
      await store.update(record.id, (current) => withKey(current, 'theirs', 2))
      assert.deepEqual((await store.update(record.id, removeMine, stale))?.data, { theirs: 2 })
      assert.deepEqual((await store.read(record.id))?.data, { theirs: 2 })
    }
  ],
  [
    'a record with the revision that was seen, but from another write, is not overwritten',
    async ({ store, put, newRecord }) => {
      // A failover or a restored backup leaves a state with the same revision and other data.
      const record = newRecord({ mine: 1, lost: 1 })
      await store.create(record.id, record)
      const seen = (await store.read(record.id))!
      const restore = async (): Promise<void> => {
        const restored = { ...record, write: createWriter().next(record.write), data: { mine: 1, theirs: 2 } }
        if (put) return put(record.id, writeRecord(restored))
        await store.destroy(record.id)
        assert.equal(await store.create(record.id, restored), true)
      }
      await restore()
      const written = await store.update(record.id, (current) => withKey(current, 'ours', 3), seen)
      assert.deepEqual(written?.data, { mine: 1, theirs: 2, ours: 3 })
      assert.deepEqual(await store.read(record.id), written)
      await restore()
      const removeUnlessTheirs = store.update(record.id, (current) => ('theirs' in current.data ? current : null), seen)
      assert.deepEqual((await removeUnlessTheirs)?.data, { mine: 1, theirs: 2 })
      assert.deepEqual((await store.read(record.id))?.data, { mine: 1, theirs: 2 })
      // A state that this very store wrote is not the stored one either.
      const own = await store.update(record.id, (current) => withKey(current, 'gone', 4))
      if (!put) return
      await put(record.id, writeRecord({ ...own!, write: createWriter().next(record.write), data: { theirs: 5 } }))
      assert.deepEqual((await store.update(record.id, (current) => withKey(current, 'ours', 6), own!))?.data, { theirs: 5, ours: 6 })
    }
  ],
  [
    'an update that begins while a recipe runs is not lost',
    async ({ store, another, newRecord }) => {
      const second = (await another()) ?? store
      const record = newRecord({})
      await store.create(record.id, record)
      let rival: Promise<unknown> | undefined
      await store.update(record.id, (current) => {
        rival ??= second.update(record.id, (theirs) => withKey(theirs, 'theirs', 1))
        return withKey(current, 'ours', 1)
      })
      await rival
      const last = await store.read(record.id)
      assert.deepEqual(last?.data, { ours: 1, theirs: 1 })
      assert.equal(last.rev, 3)
    }
  ],
  [
    'of parallel creations with one id exactly one is stored',
    async ({ store, another, newRecord }) => {
      const stores = [store, (await another()) ?? store]
      const record = newRecord()
      const records = Array.from({ length: 10 }, (_, at) => ({ ...withKey(record, 'by', at), write: createMark() }))
      const taken = await Promise.all(records.map((other, index) => stores[index % 2]!.create(other.id, other)))
      assert.deepEqual(taken.filter(Boolean), [true])
      assert.deepEqual(await store.read(record.id), records[taken.indexOf(true)])
    }
  ],
  [
    'a destroyed record never comes back, and destroy() returns its very last state',
    async ({ store, another, newRecord }) => {
      const stores = [store, (await another()) ?? store]
      for (let round = 0; round < 20; round++) {
        const record = newRecord({ count: 0 })
        await store.create(record.id, record)
        const updates = Array.from({ length: 6 }, (_, at) => () => stores[at % 2]!.update(record.id, count, at < 3 ? record : undefined))
        const before = updates.slice(0, round % 7).map((start) => start())
        const destroyed = [stores[round % 2]!.destroy(record.id), stores[1 - (round % 2)]!.destroy(record.id)]
        const after = updates.slice(round % 7).map((start) => start())
        const written = (await Promise.all([...before, ...after])).filter((answer) => answer != null)
        const last = (await Promise.all(destroyed)).filter((answer) => answer !== undefined)
        assert.equal(await store.read(record.id), undefined)
        assert.equal(last.length, 1, 'exactly one of two parallel calls returns the state')
        assert.deepEqual(last[0], written.find((state) => state.rev === written.length + 1) ?? record)
        assert.equal(await store.update(record.id, count, last[0]), undefined)
        assert.equal(await store.read(record.id), undefined)
      }
    }
  ],
  [
    'of two parallel removals by recipe one removes the record and the other finds nothing',
    async ({ store, another, newRecord }) => {
      const stores = [store, (await another()) ?? store]
      const record = newRecord()
      await store.create(record.id, record)
      const answers = await Promise.all(stores.map((writer) => writer.update(record.id, () => null, record)))
      assert.deepEqual(new Set(answers), new Set([null, undefined]))
      assert.equal(await store.read(record.id), undefined)
    }
  ],
  [
    'many sessions at once do not disturb each other',
    async ({ store, newRecord, capabilities }) => {
      const records = Array.from({ length: capabilities.parallel }, (_, at) => newRecord({ at }))
      await Promise.all(records.map((record) => store.create(record.id, record)))
      await Promise.all(records.map((record, at) => store.update(record.id, (current) => withKey(current, 'twice', at * 2))))
      const last = await Promise.all(records.map((record) => store.read(record.id)))
      assert.deepEqual(last.map((record) => record?.data), records.map((_, at) => ({ at, twice: at * 2 })))
      assert.deepEqual(last.map((record) => record?.id), records.map(({ id }) => id))
    }
  ]
]
