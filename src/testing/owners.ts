import assert from 'node:assert/strict'
import { graceAfterDeadline, type SessionRecord } from '../store/index.js'
import { byId, listed } from './listing.js'
import { expireLater, withKey } from './recipes.js'
import { lifetime, type Case } from './fixture.js'
import type { WatchedStore } from './watched-store.js'

/** Owners that a careless store confuses with each other, or takes for patterns or paths. */
const owners: readonly string[] = [
  ['1', '17', '7', '01', '170', ' 17', '17 ', '17\n', '17\0', '\0', ' '],
  ['*', '1*', '?', '17?', '[17]', '%', '1%', '_', '__', '^17', '.*', '1|7', '{17}'],
  ['.', '..', '../17', '../../17', '/', '/17', '17/', '\\', '\\17', 'C:17', '~', 'CON', '17.json'],
  ['momo', 'Momo', 'MOMO', 'ｍｏｍｏ', 'm\u00f6mo', 'mo\u0308mo', 'ß', 'ss', 'SS', 'i', 'I', 'ı', 'İ', '🙂', '🙃', '\ud83d', '\ude42', '漢字'],
  ['__proto__', 'constructor', 'toString', 'null', 'undefined', 'true', '""', "'; --", '$owner', ':17', 'owner:17'],
  ['x'.repeat(256), 'x'.repeat(255), `${'x'.repeat(255)}y`, '漢'.repeat(256), '🙂'.repeat(128)]
].flat()

/** Cases for stores with `ownedBy`. For other stores, they test nothing. */
export const ownerCases: readonly Case[] = [
  [
    'ownedBy() lists the live records of the owner and of nobody else, for any string as the owner',
    async ({ store, newRecord }) => {
      if (!store.ownedBy) return
      const anonymous = newRecord()
      await store.create(anonymous.id, anonymous)
      const records = owners.map((owner) => newRecord({}, { owner }))
      for (const record of records) await store.create(record.id, record)
      for (const record of records) assert.deepEqual(await ownedBy(store, record.owner!), [record], JSON.stringify(record.owner))
      for (const nobody of ['nobody', '18', 'mom', 'momo ', 'valueOf']) assert.deepEqual(await ownedBy(store, nobody), [], nobody)
    }
  ],
  [
    'ownedBy() lists every session of an owner with many',
    async ({ store, another, newRecord, capabilities }) => {
      if (!store.ownedBy) return
      const stores = [store, (await another()) ?? store]
      const records = Array.from({ length: Math.max(30, capabilities.parallel) }, (_, at) => newRecord({ at }, { owner: at % 3 === 0 ? 'kim' : 'momo' }))
      await Promise.all(records.map((record, at) => stores[at % 2]!.create(record.id, record)))
      for (const reader of stores) {
        assert.deepEqual(await ownedBy(reader, 'momo'), byId(records.filter(({ owner }) => owner === 'momo')))
        assert.deepEqual(await ownedBy(reader, 'kim'), byId(records.filter(({ owner }) => owner === 'kim')))
      }
    }
  ],
  [
    'ownedBy() lists a session as soon as an update has given it to the owner, and no longer when one has given it to another',
    async ({ store, another, newRecord }) => {
      if (!store.ownedBy) return
      const second = (await another()) ?? store
      const record = newRecord()
      await store.create(record.id, record)
      const login = await store.update(record.id, ownedNow('momo'))
      assert.deepEqual(await ownedBy(second, 'momo'), [login])
      const saved = await second.update(record.id, (current) => withKey(current, 'more', 1))
      assert.deepEqual(await ownedBy(store, 'momo'), [saved], 'the record as it is stored now')
      const other = await store.update(record.id, ownedNow('kim'), saved ?? undefined)
      assert.deepEqual(await ownedBy(second, 'momo'), [])
      assert.deepEqual(await ownedBy(second, 'kim'), [other])
      const again = await store.update(record.id, ownedNow('momo'))
      assert.deepEqual(await ownedBy(store, 'momo'), [again])
      await store.update(record.id, withoutOwner)
      for (const owner of ['momo', 'kim']) assert.deepEqual(await ownedBy(store, owner), [], owner)
    }
  ],
  [
    'ownedBy() lists no session that was destroyed, was removed, has moved or has expired',
    async ({ store, advance, newRecord }) => {
      if (!store.ownedBy) return
      const [kept, destroyed, removed, moved, expired] = ['kept', 'destroyed', 'removed', 'moved', 'expired'].map((name) => newRecord({ name }, { owner: 'momo' }))
      for (const record of [kept!, destroyed!, removed!, moved!, expired!]) await store.create(record.id, record)
      assert.equal((await ownedBy(store, 'momo')).length, 5)
      await store.destroy(destroyed!.id)
      await store.update(removed!.id, () => null)
      await store.update(moved!.id, (current) => ({ ...current, moved: true, data: {} }))
      const later = await store.update(kept!.id, expireLater(lifetime))
      assert.deepEqual(await ownedBy(store, 'momo'), byId([later!, expired!]))
      advance(lifetime)
      assert.deepEqual(await ownedBy(store, 'momo'), [later])
    }
  ],
  [
    'ownedBy() still lists a session whose deadline was moved, even at the last moment and by another store',
    async ({ store, another, advance, newRecord }) => {
      if (!store.ownedBy) return
      const second = (await another()) ?? store
      const [short, long, late] = [newRecord({}, { owner: 'momo' }), newRecord({}, { owner: 'momo' }), newRecord({}, { owner: 'momo' })]
      for (const record of [short, long, late]) await store.create(record.id, record)
      const extended = await second.update(long.id, expireLater(40 * 24 * lifetime))
      advance(lifetime + graceAfterDeadline - 1)
      const saved = await store.update(late.id, expireLater(40 * 24 * lifetime))
      advance(1)
      if (store.prune) await store.prune()
      assert.deepEqual(await ownedBy(store, 'momo'), byId([extended!, saved!]))
      advance(40 * 24 * lifetime - 2 * graceAfterDeadline)
      if (store.prune) await store.prune()
      assert.deepEqual(await ownedBy(second, 'momo'), byId([extended!, saved!]))
    }
  ],
  [
    'ownedBy() lists a reused id only for its new owner',
    async ({ store, advance, newRecord }) => {
      if (!store.ownedBy) return
      const first = newRecord({}, { owner: 'momo' })
      await store.create(first.id, first)
      advance(lifetime + graceAfterDeadline)
      const next = newRecord({}, { id: first.id, owner: 'kim' })
      assert.equal(await store.create(next.id, next), true)
      if (store.prune) await store.prune()
      assert.deepEqual(await ownedBy(store, 'momo'), [])
      assert.deepEqual(await ownedBy(store, 'kim'), [next])
    }
  ],
  [
    'a creation that fails because the id is taken does not change the lists of ownedBy()',
    async ({ store, newRecord }) => {
      if (!store.ownedBy) return
      const record = newRecord({}, { owner: 'momo' })
      await store.create(record.id, record)
      assert.equal(await store.create(record.id, newRecord({}, { id: record.id, owner: 'kim' })), false)
      assert.deepEqual(await ownedBy(store, 'momo'), [record])
      assert.deepEqual(await ownedBy(store, 'kim'), [])
    }
  ],
  [
    'after parallel updates that each set an owner, ownedBy() lists the session for the last of them only',
    async ({ store, another, newRecord, capabilities }) => {
      if (!store.ownedBy) return
      const stores = [store, (await another()) ?? store]
      const names = ['momo', 'kim', 'lea']
      for (let round = 0; round < 5; round++) {
        const record = newRecord({}, round % 2 === 0 ? { owner: 'momo' } : {})
        await store.create(record.id, record)
        const updates = Array.from({ length: Math.min(20, capabilities.parallel) }, (_, at) => {
          const recipe = at % 4 === 3 ? withoutOwner : ownedNow(names[(at + round) % 3]!)
          return stores[at % 2]!.update(record.id, recipe, at % 2 === 0 ? record : undefined)
        })
        await Promise.all(updates)
        const last = (await store.read(record.id))!
        for (const name of names) assert.deepEqual(await ownedBy(store, name), last.owner === name ? [last] : [], name)
        await store.destroy(record.id)
      }
    }
  ],
  [
    'a caller may destroy the sessions that ownedBy() lists while it runs, and may leave it early',
    async ({ store, newRecord }) => {
      if (!store.ownedBy) return
      const records = Array.from({ length: 12 }, (_, at) => newRecord({ at }, { owner: 'momo' }))
      for (const record of records) await store.create(record.id, record)
      for await (const { id } of store.ownedBy('momo')) {
        await store.destroy(id)
        break
      }
      assert.equal((await ownedBy(store, 'momo')).length, 11)
      let ended = 0
      for await (const { id } of store.ownedBy('momo')) if (await store.destroy(id)) ended++
      assert.equal(ended, 11, 'none was missed')
      assert.deepEqual(await ownedBy(store, 'momo'), [])
    }
  ],
  [
    'ownedBy() of one scope lists nothing of another',
    async ({ store, scope, another, newRecord }) => {
      if (!store.ownedBy) return
      for (const prefix of [`${scope.prefix}inner:`, `${scope.prefix.slice(0, -3)}*`]) {
        const other = await another(prefix)
        if (!other) return
        const [mine, theirs] = [newRecord({}, { owner: prefix }), newRecord({}, { owner: prefix })]
        await store.create(mine.id, mine)
        await other.create(theirs.id, theirs)
        assert.deepEqual(await ownedBy(store, prefix), [mine])
        assert.deepEqual(await ownedBy(other, prefix), [theirs])
        await other.destroy(theirs.id)
      }
    }
  ]
]

async function ownedBy(store: WatchedStore, owner: string): Promise<SessionRecord[]> {
  return listed(store.ownedBy!(owner))
}

function ownedNow(owner: string): (record: SessionRecord) => SessionRecord {
  return (record) => ({ ...record, owner })
}

function withoutOwner(record: SessionRecord): SessionRecord {
  const { owner: _, ...rest } = record
  return rest
}
