import assert from 'node:assert/strict'
import { graceAfterDeadline, type SessionRecord } from '../store/index.js'
import { listed } from './listing.js'
import { expireLater, unchanged } from './recipes.js'
import { lifetime, type Case } from './fixture.js'

const day = 86_400_000

/** Cases about deadlines: until when a record can be read, can be updated and destroyed, and when it is gone. */
export const deadlineCases: readonly Case[] = [
  [
    'a record is read until its deadline and not afterwards',
    async ({ store, advance, newRecord }) => {
      const record = newRecord()
      await store.create(record.id, record)
      advance(lifetime - 1)
      assert.deepEqual(await store.read(record.id), record)
      advance(1)
      assert.equal(await store.read(record.id), undefined)
      if (store.records) assert.deepEqual(await listed(store.records()), [])
    }
  ],
  [
    'update and destroy find a record for a minute after its deadline',
    async ({ store, advance, newRecord }) => {
      const [updated, seen, removed, destroyed, taken] = [newRecord(), newRecord(), newRecord(), newRecord(), newRecord()]
      for (const record of [updated, seen, removed, destroyed, taken]) await store.create(record.id, record)
      const known = await store.read(seen.id)
      advance(lifetime + graceAfterDeadline - 1)
      if (store.prune) await store.prune()
      const written = await store.update(updated.id, (current) => ({ ...current, data: { saved: 'late' } }))
      assert.deepEqual(written, { ...updated, rev: 2, write: written?.write, data: { saved: 'late' } })
      assert.equal(await store.read(updated.id), undefined, 'its deadline has passed all the same')
      assert.deepEqual(await store.destroy(updated.id), written)
      assert.equal((await store.update(seen.id, expireLater(lifetime), known))?.rev, 2)
      assert.equal((await store.read(seen.id))?.rev, 2, 'its deadline was moved')
      assert.equal(await store.update(removed.id, () => null), null)
      assert.equal(await store.destroy(removed.id), undefined)
      assert.deepEqual(await store.destroy(destroyed.id), destroyed)
      assert.equal(await store.create(taken.id, newRecord({}, { id: taken.id })), false)
      assert.deepEqual(await store.destroy(taken.id), taken)
    }
  ],
  [
    'a minute after its deadline a record is gone for every method',
    async ({ store, advance, newRecord }) => {
      for (const find of [
        (id: string) => store.read(id),
        (id: string) => store.destroy(id),
        (id: string) => store.update(id, () => null),
        (id: string) => store.update(id, expireLater(lifetime)),
        (id: string, seen: SessionRecord) => store.update(id, () => ({ ...seen, expires: seen.expires + lifetime }), seen)
      ]) {
        const record = newRecord()
        await store.create(record.id, record)
        const seen = await store.read(record.id)
        advance(lifetime + graceAfterDeadline)
        assert.equal(await find(record.id, seen!), undefined)
        assert.equal(await store.read(record.id), undefined)
      }
    }
  ],
  [
    'create() stores a new record under an id whose record is gone: the id is free again',
    async ({ store, advance, newRecord }) => {
      const old = newRecord()
      await store.create(old.id, old)
      advance(lifetime + graceAfterDeadline)
      const next = newRecord({ user: 'next' }, { id: old.id })
      assert.equal(await store.create(next.id, next), true)
      assert.deepEqual(await store.read(next.id), next)
    }
  ],
  [
    'a record that is written with a deadline in the past cannot be read',
    async ({ store, scope, newRecord }) => {
      for (const ago of [0, 1, 2 * graceAfterDeadline]) {
        const born = newRecord({}, { expires: scope.now() - ago })
        await store.create(born.id, born)
        assert.equal(await store.read(born.id), undefined)
        const updated = newRecord()
        await store.create(updated.id, updated)
        await store.update(updated.id, (current) => ({ ...current, expires: scope.now() - ago }))
        assert.equal(await store.read(updated.id), undefined)
        for (const { id } of [born, updated]) assert.equal((await store.update(id, unchanged)) === undefined, ago > graceAfterDeadline)
      }
    }
  ],
  [
    'a deadline that an update moved replaces the one before',
    async ({ store, advance, newRecord }) => {
      const [later, sooner] = [newRecord(), newRecord()]
      for (const { id } of [later, sooner]) await store.create(id, id === later.id ? later : sooner)
      await store.update(later.id, expireLater(40 * day))
      await store.update(sooner.id, expireLater(-lifetime / 2))
      advance(lifetime / 2)
      assert.equal(await store.read(sooner.id), undefined)
      advance(40 * day)
      if (store.prune) await store.prune()
      assert.equal((await store.read(later.id))?.rev, 2)
      assert.equal((await store.update(later.id, unchanged))?.rev, 3)
    }
  ],
  [
    'a marker of a session with a new sid is read and destroyed like a record, and not listed',
    async ({ store, newRecord }) => {
      const record = newRecord()
      await store.create(record.id, record)
      const marker = await store.update(record.id, (current) => ({ ...current, moved: true, data: {} }))
      assert.equal(marker?.moved, true)
      assert.deepEqual(await store.read(record.id), marker)
      if (store.records) assert.deepEqual(await listed(store.records()), [])
      await store.update(record.id, (current) => {
        assert.deepEqual(current, marker)
        return current
      })
      assert.equal((await store.destroy(record.id))?.moved, true)
    }
  ]
]
