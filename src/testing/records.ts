import assert from 'node:assert/strict'
import { copyOf, createMark, isUntouchedCopy, originOf, stateOf, type SessionRecord } from '../store/index.js'
import { unchanged } from './recipes.js'
import type { Case } from './fixture.js'

/** Cases with one call after another: the answer of each method, and the record that is stored afterwards. */
export const recordCases: readonly Case[] = [
  [
    'a created record is read back equal',
    async ({ store, newRecord }) => {
      const data = { user: 'momo', cart: [{ sku: 'a', count: 2 }], none: null, ok: true }
      const plain = newRecord(data)
      assert.equal(await store.create(plain.id, plain), true)
      assert.deepEqual(await store.read(plain.id), plain)
      const owned = newRecord(data, { owner: 'momo@example.com', lifetime: 5000, permanent: true, used: plain.used + 7 })
      assert.equal(await store.create(owned.id, owned), true)
      assert.deepEqual(await store.read(owned.id), owned)
    }
  ],
  [
    'an id without a record is a value, not an error',
    async ({ store, newRecord }) => {
      const { id } = newRecord()
      assert.equal(await store.read(id), undefined)
      assert.equal(await store.destroy(id), undefined)
      assert.equal(await store.update(id, unchanged), undefined)
      assert.equal(await store.read(id), undefined, 'an update must not make a record')
    }
  ],
  [
    'anything but 64 lower-case hexadecimal digits is refused as an id with a TypeError',
    async ({ store, newRecord }) => {
      const record = newRecord()
      const digits = 'a'.repeat(63)
      const wrong = ['', digits, `${digits}aa`, `${digits}A`, `${digits}g`, `${digits} `, `${digits}\n`, `${digits}a\n`, `${digits}/`, '../'.repeat(21) + 'a', `${digits}１`]
      for (const id of [...wrong, undefined as unknown as string, [record.id] as unknown as string]) {
        const name = JSON.stringify(id)
        await assert.rejects(store.read(id), TypeError, `read ${name}`)
        await assert.rejects(store.create(id, { ...record, id }), TypeError, `create ${name}`)
        await assert.rejects(store.update(id, unchanged), TypeError, `update ${name}`)
        await assert.rejects(store.destroy(id), TypeError, `destroy ${name}`)
      }
    }
  ],
  [
    'a new record has revision 1, even if it is given with another',
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
      assert.equal(await store.create(record.id, { ...record, write: createMark(), data: { user: 'other' } }), false)
      assert.deepEqual(await store.read(record.id), record)
    }
  ],
  [
    'an update writes what the recipe returns, with the next revision and a new write, and returns it',
    async ({ store, newRecord }) => {
      const record = newRecord()
      await store.create(record.id, record)
      const wanted: SessionRecord = { ...record, permanent: true, lifetime: 5000, used: record.used + 1, expires: record.expires + 1000, owner: 'kim', data: { user: 'kim' } }
      const written = await store.update(record.id, () => wanted)
      assert.ok(written)
      assert.notEqual(written.write, record.write)
      assert.deepEqual(written, { ...wanted, rev: 2, write: written.write })
      assert.deepEqual(await store.read(record.id), written)
      assert.equal((await store.update(record.id, unchanged))?.rev, 3)
    }
  ],
  [
    'every write of every store has a write value that no other has',
    async ({ store, another, newRecord }) => {
      const stores = [store, (await another()) ?? store]
      const seen = new Set<unknown>()
      for (let at = 0; at < 10; at++) {
        const record = newRecord()
        await store.create(record.id, record)
        seen.add((await store.read(record.id))?.write)
        for (const writer of stores) seen.add((await writer.update(record.id, unchanged))?.write)
        const parallel = [0, 1, 2].map(async (number) => stores[number % 2]!.update(record.id, unchanged))
        for (const written of await Promise.all(parallel)) seen.add(written?.write)
      }
      assert.equal(seen.size, 60)
      for (const write of seen) assert.ok(typeof write === 'string' && write !== '', String(write))
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
      assert.equal(await store.update(record.id, unchanged), undefined)
      assert.equal(await store.destroy(record.id), undefined)
    }
  ],
  [
    'a recipe that throws rejects the update with its own error and leaves the record as it was',
    async ({ store, newRecord }) => {
      const record = newRecord({ list: [1] })
      await store.create(record.id, record)
      for (const seen of [undefined, await store.read(record.id)]) {
        for (const mistake of [new Error('the recipe failed'), new TypeError('a key failed'), 'text', undefined]) {
          const failing = store.update(
            record.id,
            () => {
              throw mistake
            },
            seen
          )
          const thrown = await failing.then(() => 'nothing', (error: unknown) => ({ error }))
          assert.deepEqual(thrown, { error: mistake })
          assert.equal((thrown as { error: unknown }).error, mistake, 'the very same error')
        }
      }
      assert.deepEqual(await store.read(record.id), record)
      assert.equal((await store.update(record.id, unchanged))?.rev, 2, 'later updates go on')
    }
  ],
  [
    'destroy() returns the last state once and leaves nothing',
    async ({ store, newRecord }) => {
      const record = newRecord()
      await store.create(record.id, record)
      const written = await store.update(record.id, (current) => ({ ...current, data: { user: 'last' } }))
      assert.deepEqual(await store.destroy(record.id), written)
      assert.equal(await store.destroy(record.id), undefined)
      assert.equal(await store.read(record.id), undefined)
      assert.equal(await store.update(record.id, unchanged, written ?? undefined), undefined)
      assert.equal(await store.read(record.id), undefined)
    }
  ],
  [
    'a record that was read stays as it was when the stored one changes',
    async ({ store, newRecord }) => {
      // Every record of the suite is frozen, so a store that changes one in place throws. This tests that records share no parts, either.
      const record = newRecord({ cart: { items: ['a'] } })
      const given: SessionRecord[] = [record]
      await store.create(record.id, record)
      const note = (answer: SessionRecord | null | undefined): SessionRecord => {
        given.push(answer!)
        return answer!
      }
      note(await store.read(record.id))
      for (const items of [['a', 'b'], ['c']]) {
        note(await store.update(record.id, (current) => ({ ...note(current), data: { cart: { items } } })))
        for await (const listed of store.records?.() ?? []) note(listed)
      }
      const before = structuredClone(given)
      await store.update(record.id, (current) => ({ ...current, expires: current.expires + 1, data: { cart: { items: [] }, more: 1 } }))
      note(await store.destroy(record.id))
      assert.deepEqual(given.slice(0, before.length), before)
    }
  ],
  [
    'fields that this version does not know are kept',
    async ({ store, newRecord }) => {
      const record = { ...newRecord(), future: { nested: [1, 'two', null] } }
      await store.create(record.id, record)
      assert.deepEqual(await store.read(record.id), record)
      const written = await store.update(record.id, (current) => ({ ...current, data: { changed: true } }))
      assert.deepEqual(written, { ...record, rev: 2, write: written?.write, data: { changed: true } })
      assert.deepEqual(await store.destroy(record.id), written)
    }
  ],
  [
    "a copy of another store's record keeps its facts, and shows from which state it came and whether it was changed since",
    async ({ store, scope, newRecord }) => {
      const now = scope.now()
      const facts = { owner: 'momo', created: now - 5000, used: now - 1000, permanent: true, lifetime: 5000 }
      const source: SessionRecord = { ...newRecord({ step: 1 }, facts), rev: 41, write: 'writer-a other-b' }
      const { rev, write, ...content } = source
      assert.equal(await store.create(source.id, copyOf(source, 1, now)), true)
      const first = await store.read(source.id)
      assert.ok(first && isUntouchedCopy(first))
      assert.deepEqual(first, { ...content, rev: 1, write: first.write, copied: { from: stateOf({ ...source, rev, write }), rev: 1, at: now } })
      const newer: SessionRecord = { ...source, rev: 42, write: 'other-c writer-a', data: { step: 2 } }
      await store.update(source.id, (current) => copyOf(newer, current.rev + 1, now), first)
      const second = await store.read(source.id)
      assert.ok(second && isUntouchedCopy(second))
      assert.deepEqual([second.rev, second.data, originOf(second)?.from], [2, { step: 2 }, stateOf(newer)])
      await store.update(source.id, unchanged, second)
      const changed = await store.read(source.id)
      assert.ok(changed && !isUntouchedCopy(changed))
      assert.equal(originOf(changed)?.from, stateOf(newer))
    }
  ],
  [
    'any string is a key of the data',
    async ({ store, newRecord }) => {
      // Parsed from text, because __proto__ in a literal would set the prototype.
      const text = `{"__proto__":{"a":1},"toJSON":"t","then":"t","constructor":{"prototype":1},"":0,"a.b":1,"$set":2,
        "hasOwnProperty":3,"\\u0000":4,"\\ud800":"\\udfff","length":5,"1":"digit"}`
      const record = newRecord(JSON.parse(text) as { [key: string]: number })
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
      // The unit has 15 bytes in UTF-8, and up to 28 in a backend that stores escapes.
      const unit = 'aé漢🙂"\\\n'
      const record = newRecord({ text: unit.repeat(Math.floor((capabilities.largest - 1000) / 28)) })
      await store.create(record.id, record)
      assert.deepEqual(await store.read(record.id), record)
      const written = await store.update(record.id, (current) => ({ ...current, data: { ...current.data, tail: unit } }))
      assert.deepEqual(await store.read(record.id), written)
      await store.update(record.id, (current) => ({ ...current, data: { text: 'short' } }))
      assert.deepEqual((await store.read(record.id))?.data, { text: 'short' }, 'nothing is left of the longer text')
    }
  ]
]
