import assert from 'node:assert/strict'
import type { SessionRecord } from '../store.js'
import { lifetime, type Case } from './stage.js'

/** One call after the other: what each method answers, and what is stored afterwards. */
export const recordCases: readonly Case[] = [
  [
    'a created record is read back equal',
    async ({ store, newRecord }) => {
      const record = newRecord({ user: 'momo', cart: [{ sku: 'a', count: 2 }], none: null, ok: true })
      assert.equal(await store.create(record.id, record), true)
      assert.deepEqual(await store.read(record.id), record)
    }
  ],
  [
    'an id without a record is a value, not an error',
    async ({ store, newRecord }) => {
      const { id } = newRecord()
      assert.equal(await store.read(id), undefined)
      assert.equal(await store.destroy(id), undefined)
      assert.equal(await store.update(id, (current) => current), undefined)
      assert.equal(await store.read(id), undefined, 'an update must not make a record')
    }
  ],
  [
    'a new record has revision 1, whatever it came with',
    async ({ store, newRecord }) => {
      const record = newRecord()
      assert.equal(await store.create(record.id, { ...record, rev: 7 }), true)
      assert.equal((await store.read(record.id))?.rev, 1)
    }
  ],
  [
    'an id that is taken is not overwritten',
    async ({ store, newRecord }) => {
      const record = newRecord()
      await store.create(record.id, record)
      assert.equal(await store.create(record.id, { ...record, data: { user: 'other' } }), false)
      assert.deepEqual(await store.read(record.id), record)
    }
  ],
  [
    'an update writes what the recipe returns and answers it with the next revision',
    async ({ store, newRecord }) => {
      const record = newRecord()
      await store.create(record.id, record)
      const wanted = { ...record, permanent: true, lifetime: 5000, expires: record.expires + 1000, data: { user: 'kim' } }
      const written = await store.update(record.id, () => wanted)
      assert.deepEqual(written, { ...wanted, rev: 2 })
      assert.deepEqual(await store.read(record.id), written)
      assert.equal((await store.update(record.id, (current) => current))?.rev, 3)
    }
  ],
  [
    'a recipe is given the record as it is stored',
    async ({ store, newRecord }) => {
      const record = newRecord()
      await store.create(record.id, record)
      await store.update(record.id, (current) => {
        assert.deepEqual(current, record)
        return current
      })
    }
  ],
  [
    'a recipe that returns null removes the record',
    async ({ store, newRecord }) => {
      const record = newRecord()
      await store.create(record.id, record)
      assert.equal(await store.update(record.id, () => null), null)
      assert.equal(await store.read(record.id), undefined)
      assert.equal(await store.update(record.id, (current) => current), undefined)
      assert.equal(await store.destroy(record.id), undefined)
    }
  ],
  [
    'a recipe that throws rejects the update with its own error and leaves the record as it was',
    async ({ store, newRecord }) => {
      const record = newRecord({ list: [1] })
      await store.create(record.id, record)
      const mistake = new Error('the recipe failed')
      const failing = store.update(record.id, (current) => {
        current.data['list'] = 'changed before throwing'
        throw mistake
      })
      await assert.rejects(failing, (error) => error === mistake)
      assert.deepEqual(await store.read(record.id), record)
      assert.equal((await store.update(record.id, (current) => current))?.rev, 2, 'later updates go on')
    }
  ],
  [
    'destroying answers the last state once and leaves nothing',
    async ({ store, newRecord }) => {
      const record = newRecord()
      await store.create(record.id, record)
      const written = await store.update(record.id, (current) => ({ ...current, data: { user: 'last' } }))
      assert.deepEqual(await store.destroy(record.id), written)
      assert.equal(await store.destroy(record.id), undefined)
      assert.equal(await store.read(record.id), undefined)
      assert.equal(await store.update(record.id, (current) => current, written ?? undefined), undefined)
      assert.equal(await store.read(record.id), undefined)
    }
  ],
  [
    'a record past its deadline exists for no method',
    async ({ store, advance, newRecord }) => {
      for (const exists of [
        (id: string) => store.read(id),
        (id: string) => store.update(id, (current) => ({ ...current, expires: current.expires + lifetime })),
        (id: string, seen: SessionRecord) => store.update(id, () => ({ ...seen, expires: seen.expires + lifetime }), seen),
        (id: string) => store.destroy(id)
      ]) {
        const record = newRecord()
        await store.create(record.id, record)
        advance(lifetime - 1)
        assert.deepEqual(await store.read(record.id), record, 'it is there until the last millisecond')
        advance(1)
        assert.equal(await exists(record.id, record), undefined)
        assert.equal(await store.read(record.id), undefined)
      }
    }
  ],
  [
    'an id whose record is past its deadline is free again',
    async ({ store, advance, newRecord }) => {
      const old = newRecord()
      await store.create(old.id, old)
      advance(lifetime)
      const next = { ...newRecord({ user: 'next' }), id: old.id }
      assert.equal(await store.create(next.id, next), true)
      assert.deepEqual(await store.read(next.id), next)
    }
  ],
  [
    'a record that is stored with a deadline in the past is gone at once',
    async ({ store, scope, newRecord }) => {
      const born = newRecord()
      await store.create(born.id, { ...born, expires: scope.now() - 1 })
      assert.equal(await store.read(born.id), undefined)
      const updated = newRecord()
      await store.create(updated.id, updated)
      await store.update(updated.id, (current) => ({ ...current, expires: scope.now() - 1 }))
      assert.equal(await store.read(updated.id), undefined)
    }
  ],
  [
    'a deadline that an update moved is the one that counts',
    async ({ store, advance, newRecord }) => {
      const record = newRecord()
      await store.create(record.id, record)
      await store.update(record.id, (current) => ({ ...current, expires: current.expires + 40 * 86_400_000 }))
      advance(lifetime + 39 * 86_400_000)
      assert.equal((await store.read(record.id))?.rev, 2)
    }
  ],
  [
    'fields that this version does not know are kept',
    async ({ store, newRecord }) => {
      const record = { ...newRecord(), future: { nested: [1, 'two', null] } }
      await store.create(record.id, record)
      assert.deepEqual(await store.read(record.id), record)
      await store.update(record.id, (current) => ({ ...current, data: { changed: true } }))
      assert.deepEqual(await store.destroy(record.id), { ...record, rev: 2, data: { changed: true } })
    }
  ],
  [
    'any string is a key of the data',
    async ({ store, newRecord }) => {
      // From text, because in a literal __proto__ would set the prototype.
      const text = `{"__proto__":{"a":1},"toJSON":"t","then":"t","constructor":{"prototype":1},"":0,"a.b":1,"$set":2,
        "hasOwnProperty":3,"\\u0000":4,"\\ud800":"\\udfff","length":5,"1":"digit"}`
      const record = newRecord(JSON.parse(text) as SessionRecord['data'])
      await store.create(record.id, record)
      assert.deepEqual(await store.read(record.id), record)
      const written = await store.update(record.id, (current) => ({ ...current, data: { ...current.data, more: 1 } }))
      assert.deepEqual(written?.data, { ...record.data, more: 1 })
      assert.deepEqual(await store.destroy(record.id), written)
    }
  ],
  [
    'large and non-ASCII data come back whole',
    async ({ store, newRecord, capabilities }) => {
      // Every character of the unit is within 15 bytes of UTF-8, and 28 bytes where a backend stores escapes.
      const unit = 'aé漢🙂"\\\n'
      const record = newRecord({ text: unit.repeat(Math.floor((capabilities.largest - 1000) / 28)) })
      await store.create(record.id, record)
      assert.deepEqual(await store.read(record.id), record)
      const written = await store.update(record.id, (current) => ({ ...current, data: { ...current.data, tail: unit } }))
      assert.deepEqual(await store.read(record.id), written)
      await store.update(record.id, (current) => ({ ...current, data: { text: 'short' } }))
      assert.deepEqual((await store.read(record.id))?.data, { text: 'short' }, 'nothing is left of the longer text')
    }
  ],
  [
    'what a caller does to a record that it handed in or was given never reaches the store',
    async ({ store, newRecord }) => {
      const record = newRecord({ cart: { items: ['a'] } })
      const { id } = record
      await store.create(id, record)
      const isWhole = async (cart: unknown) => assert.deepEqual((await store.read(id))?.data['cart'], cart)
      const cart = record.data['cart'] as { items: string[] }
      cart.items.push('b')
      spoil(record)
      await isWhole({ items: ['a'] })
      spoil(await store.read(id))
      await isWhole({ items: ['a'] })
      const items = ['c']
      spoil(await store.update(id, (current) => ({ ...current, data: { cart: { items } } })))
      items.push('d')
      await isWhole({ items: ['c'] })
      for await (const each of store.records?.() ?? []) spoil(each)
      await isWhole({ items: ['c'] })
    }
  ]
]

function spoil(given: SessionRecord | null | undefined): void {
  if (!given) return
  given.expires = 0
  given.data['cart'] = 'spoiled'
}
