import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import { graceAfterDeadline, type SessionRecord } from '../store/index.js'
import { byId, listed } from './listing.js'
import { unchanged } from './recipes.js'
import { lifetime, type Case } from './fixture.js'
import type { WatchedStore } from './watched-store.js'

/** Cases about the store as a whole: its scopes, its listing, pruning and closing. */
export const storeCases: readonly Case[] = [
  [
    'two scopes of one backend do not see each other',
    async ({ store, scope, another, newRecord }) => {
      // One prefix starts with the other, and some would match all of them if the store took them for patterns.
      for (const prefix of [`${scope.prefix}inner:`, `${scope.prefix.slice(0, -3)}*`, `${scope.prefix.slice(0, -3)}%_:`, '../']) {
        const other = await another(prefix)
        if (!other) return
        const record = newRecord()
        await store.create(record.id, record)
        assert.equal(await other.read(record.id), undefined)
        assert.equal(await other.update(record.id, unchanged), undefined)
        assert.equal(await other.destroy(record.id), undefined)
        const twin = { ...record, data: { user: 'twin' } }
        assert.equal(await other.create(twin.id, twin), true)
        assert.deepEqual(await allOf(store, [record]), [record])
        if (prefix !== '../') assert.deepEqual(await allOf(other, [twin]), [twin])
        assert.deepEqual(await other.destroy(twin.id), twin)
        assert.deepEqual(await store.destroy(record.id), record)
      }
    }
  ],
  [
    'records() lists every live record once',
    async ({ store, advance, newRecord }) => {
      if (!store.records) return
      assert.deepEqual(await listed(store.records()), [])
      const early = newRecord()
      await store.create(early.id, early)
      advance(lifetime / 2)
      const records = Array.from({ length: 25 }, (_, at) => newRecord({ at }))
      for (const record of records) await store.create(record.id, record)
      const destroyed = records.pop()!
      await store.destroy(destroyed.id)
      advance(lifetime / 2)
      assert.deepEqual(await listed(store.records()), byId(records), 'neither the expired one nor the destroyed one')
    }
  ],
  [
    'a caller may leave records() early, and may destroy records while it runs',
    async ({ store, newRecord }) => {
      if (!store.records) return
      for (let at = 0; at < 5; at++) {
        const record = newRecord({ at })
        await store.create(record.id, record)
      }
      for await (const record of store.records()) {
        assert.deepEqual(await store.destroy(record.id), record)
        break
      }
      assert.equal((await listed(store.records())).length, 4)
      for await (const { id } of store.records()) await store.destroy(id)
      assert.deepEqual(await listed(store.records()), [])
    }
  ],
  [
    'records() does not miss a record that is rewritten while it runs',
    async ({ store, newRecord }) => {
      if (!store.records) return
      const ids: string[] = []
      for (let at = 0; at < 30; at++) {
        const record = newRecord({ at })
        await store.create(record.id, record)
        ids.push(record.id)
      }
      const seen = new Set<string>()
      let turn = 0
      for await (const { id } of store.records()) {
        seen.add(id)
        // A store may list records that are created meanwhile, so stop creating some.
        if (turn++ > 60) continue
        const other = newRecord()
        await store.create(other.id, other)
        for (const used of [id, ids[turn % 30]!, ids[(turn * 7) % 30]!]) await store.update(used, unchanged)
      }
      assert.deepEqual(ids.filter((id) => !seen.has(id)), [])
    }
  ],
  [
    'prune() removes nothing that an update can find, and removes every record that is gone',
    async ({ store, advance, newRecord }) => {
      if (!store.prune) return
      const early = [newRecord(), newRecord()]
      for (const record of early) await store.create(record.id, record)
      assert.equal(await store.prune(), 0)
      advance(lifetime / 2)
      const late = newRecord()
      await store.create(late.id, late)
      advance(lifetime / 2)
      assert.equal(await store.prune(), 0, 'the first two are in the minute after their deadline')
      advance(graceAfterDeadline)
      const removed = await store.prune()
      // It is less if the backend expires records by itself, and never more, because other scopes are left alone.
      assert.ok(removed <= 2, `prune() answered ${removed}`)
      assert.equal(await store.prune(), 0)
      assert.deepEqual(await store.read(late.id), late)
      for (const { id } of early) assert.equal(await store.read(id), undefined)
    }
  ],
  [
    'a closed store can be closed again and rejects every other call with ERR_SESSION_STORE',
    async ({ store, newRecord }) => {
      if (!store.close) return
      const record = newRecord()
      await store.create(record.id, record)
      const seen = await store.read(record.id)
      await store.close()
      await store.close()
      const error = { name: 'SessionError', code: 'ERR_SESSION_STORE' }
      const other = newRecord()
      await assert.rejects(store.read(record.id), error)
      await assert.rejects(store.read(other.id), error)
      await assert.rejects(store.create(other.id, other), error)
      await assert.rejects(store.update(record.id, unchanged), error)
      await assert.rejects(store.update(record.id, unchanged, seen), error)
      await assert.rejects(store.destroy(record.id), error)
      if (store.records) await assert.rejects(listed(store.records()), error)
      if (store.ownedBy) await assert.rejects(listed(store.ownedBy('momo')), error)
      if (store.prune) await assert.rejects(store.prune(), error)
      await store.close()
    }
  ],
  [
    'close() waits for calls in progress',
    async ({ store, newRecord }) => {
      if (!store.close) return
      const record = newRecord({})
      await store.create(record.id, record)
      const updates = Array.from({ length: 5 }, (_, at) =>
        store.update(record.id, (current) => ({ ...current, data: { ...current.data, [`key${at}`]: at } }))
      )
      let settled = 0
      const outcomes = updates.map(async (update) => {
        await update.catch(() => undefined)
        settled++
      })
      await store.close()
      await setImmediate()
      assert.equal(settled, updates.length)
      await Promise.all(outcomes)
    }
  ]
]

/** The records that `records()` lists. Without such a method: the expected ones. */
async function allOf(store: WatchedStore, expected: readonly SessionRecord[]): Promise<readonly SessionRecord[]> {
  return store.records ? listed(store.records()) : expected
}
