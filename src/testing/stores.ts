import assert from 'node:assert/strict'
import { setImmediate } from 'node:timers/promises'
import type { SessionRecord, SessionStore } from '../store.js'
import { lifetime, type Case } from './stage.js'

/** The store as a whole: its scopes, its listing, its end. */
export const storeCases: readonly Case[] = [
  [
    'two scopes of one backend do not see each other',
    async ({ store, scope, another, newRecord }) => {
      // One prefix starts with the other, and one taken for a pattern would match all of them.
      for (const prefix of [`${scope.prefix}inner:`, `${scope.prefix.slice(0, -3)}*`, `${scope.prefix.slice(0, -3)}%_:`, '../']) {
        const other = await another(prefix)
        if (!other) return
        const record = newRecord()
        await store.create(record.id, record)
        assert.equal(await other.read(record.id), undefined)
        assert.equal(await other.update(record.id, (current) => current), undefined)
        assert.equal(await other.destroy(record.id), undefined)
        const twin = { ...record, data: { user: 'twin' } }
        assert.equal(await other.create(twin.id, twin), true)
        assert.deepEqual(await listed(store, [record]), [record])
        if (prefix !== '../') assert.deepEqual(await listed(other, [twin]), [twin])
        assert.deepEqual(await other.destroy(twin.id), twin)
        assert.deepEqual(await store.destroy(record.id), record)
      }
    }
  ],
  [
    'records() lists every live record once',
    async ({ store, advance, newRecord }) => {
      if (!store.records) return
      assert.deepEqual(await listed(store), [])
      const early = newRecord()
      await store.create(early.id, early)
      advance(lifetime / 2)
      const records = Array.from({ length: 25 }, (_, at) => newRecord({ at }))
      for (const record of records) await store.create(record.id, record)
      const destroyed = records.pop()!
      await store.destroy(destroyed.id)
      advance(lifetime / 2)
      assert.deepEqual(await listed(store), byId(records), 'neither the expired one nor the destroyed one')
    }
  ],
  [
    'records() may be left early, and records may be removed while it runs',
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
      assert.equal((await listed(store)).length, 4)
      for await (const { id } of store.records()) await store.destroy(id)
      assert.deepEqual(await listed(store), [])
    }
  ],
  [
    'prune() removes nothing that lives and leaves nothing that is expired',
    async ({ store, advance, newRecord }) => {
      if (!store.prune) return
      const early = [newRecord(), newRecord()]
      for (const record of early) await store.create(record.id, record)
      assert.equal(await store.prune(), 0)
      advance(lifetime / 2)
      const late = newRecord()
      await store.create(late.id, late)
      advance(lifetime / 2)
      const count = await store.prune()
      // Fewer where the backend expires records by itself, never one of another scope.
      assert.ok(count <= 2, `prune() answered ${count}`)
      assert.equal(await store.prune(), 0)
      assert.deepEqual(await store.read(late.id), late)
      for (const { id } of early) assert.equal(await store.read(id), undefined)
    }
  ],
  [
    'a closed store may be closed again and rejects every other call',
    async ({ store, newRecord }) => {
      if (!store.close) return
      const record = newRecord()
      await store.create(record.id, record)
      await store.close()
      await store.close()
      const other = newRecord()
      await assert.rejects(store.read(record.id), Error)
      await assert.rejects(store.create(other.id, other), Error)
      await assert.rejects(store.update(record.id, (current) => current), Error)
      await assert.rejects(store.update(record.id, (current) => current, record), Error)
      await assert.rejects(store.destroy(record.id), Error)
      if (store.records) await assert.rejects(listed(store), Error)
      if (store.prune) await assert.rejects(store.prune(), Error)
      await store.close()
    }
  ],
  [
    'closing waits for what is under way',
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

/** What `records()` gives, in the order of ids; where there is no such method, what is expected. */
async function listed(store: SessionStore, expected: readonly SessionRecord[] = []): Promise<SessionRecord[]> {
  if (!store.records) return [...expected]
  const all: SessionRecord[] = []
  for await (const record of store.records()) all.push(record)
  return byId(all)
}

function byId(records: readonly SessionRecord[]): SessionRecord[] {
  return records.toSorted((one, other) => (one.id < other.id ? -1 : 1))
}
