import assert from 'node:assert/strict'
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { channelName, type SessionEvent } from '../events.js'
import { writeRecord, type SessionRecord } from '../store/index.js'
import { listed } from './listing.js'
import { unchanged } from './recipes.js'
import type { Case, Fixture } from './fixture.js'

/** Wrong values of the fields of a record. `undefined` leaves the field out. */
const wrongFields: readonly object[] = [
  { id: undefined },
  { rev: undefined },
  { rev: 0 },
  { rev: '1' },
  { rev: 1.5 },
  { write: undefined },
  { write: '' },
  { write: 1 },
  { created: null },
  { used: undefined },
  { used: '2026-01-01' },
  { expires: undefined },
  { expires: 'never' },
  { expires: -1 },
  { permanent: 1 },
  { lifetime: '1h' },
  { owner: '' },
  { owner: 17 },
  { owner: 'x'.repeat(257) },
  { moved: false },
  { data: undefined },
  { data: null },
  { data: [] },
  { data: 'text' }
]

/** Cases with texts that the factory's `put` writes without the store. Without `put`, they test nothing. */
export const corruptCases: readonly Case[] = [
  [
    'a text that is not a record counts as missing, is reported and stays where it is',
    async (fixture) => {
      const { put, newRecord } = fixture
      if (!put) return
      const { id: _, ...withoutId } = newRecord()
      for (const text of ['', ' ', '{', 'null', '[]', '"text"', '7', '{}', JSON.stringify(withoutId)]) await assertCorrupt(fixture, newRecord().id, text)
      for (const fields of wrongFields) {
        const record = newRecord()
        await assertCorrupt(fixture, record.id, JSON.stringify({ ...record, ...fields }))
      }
      const whole = newRecord()
      const text = writeRecord(whole)
      await assertCorrupt(fixture, whole.id, text.slice(0, -1))
      const doubled = newRecord()
      await assertCorrupt(fixture, doubled.id, writeRecord(doubled) + text)
      const endless = newRecord()
      await assertCorrupt(fixture, endless.id, writeRecord(endless).replace(`"expires":${endless.expires}`, '"expires":1e999'))
    }
  ],
  [
    'a record is never returned for another id',
    async (fixture) => {
      const { put, store, newRecord } = fixture
      if (!put) return
      const [mine, other] = [newRecord({ user: 'mine' }), newRecord({ user: 'other' })]
      await store.create(other.id, other)
      await assertCorrupt(fixture, mine.id, writeRecord(other))
      await assertCorrupt(fixture, mine.id, writeRecord({ ...mine, id: mine.id.toUpperCase() }))
      assert.deepEqual(await store.read(other.id), other)
    }
  ],
  [
    'a text of as many bytes as the scope allows is read, and one with a byte more is corrupt',
    async (fixture) => {
      const { put, store, scope, newRecord } = fixture
      if (!put) return
      // Each character has three bytes, so that the number of characters is not the size.
      const whole = padded(newRecord({ text: '漢'.repeat(1000) }), scope.largest)
      await put(whole.id, writeRecord(whole))
      assert.deepEqual(await store.read(whole.id), whole)
      const larger = padded(newRecord({ text: '漢'.repeat(1000) }), scope.largest + 1)
      await assertCorrupt(fixture, larger.id, writeRecord(larger))
    }
  ],
  [
    'a record of a newer format is refused with ERR_SESSION_STORE and stays as it is',
    async ({ put, get, store, newRecord }) => {
      if (!put) return
      const record = newRecord()
      const text = writeRecord({ ...record, version: 1000 })
      await put(record.id, text)
      const error = { name: 'SessionError', code: 'ERR_SESSION_STORE' }
      await assert.rejects(store.read(record.id), error)
      await assert.rejects(store.update(record.id, unchanged), error)
      await assert.rejects(store.destroy(record.id), error)
      if (get) assert.equal(await get(record.id), text)
    }
  ]
]

/** Asserts that no method takes the text for a record of the id, and that each of them reports it. */
async function assertCorrupt({ store, put, get, capabilities, newRecord }: Fixture, id: string, text: string): Promise<void> {
  const what = text.length > 500 ? `${text.slice(0, 500)}…` : text
  const calls: readonly (() => Promise<unknown>)[] = [
    () => store.read(id),
    () => store.update(id, () => assert.fail(`a recipe was given ${what}`)),
    () => store.destroy(id)
  ]
  for (const call of calls) {
    await put!(id, text)
    const { answer, reasons } = await withReports(id, call)
    assert.equal(answer, undefined, what)
    assert.ok(reasons.length > 0, `no corrupt event was published for ${what}`)
    if (get && !capabilities.movesCorrupt) assert.equal(await get(id), text)
  }
  await put!(id, text)
  if (store.records) assert.ok(!(await listed(store.records())).some((record) => record.id === id), `listed: ${what}`)
  if (capabilities.movesCorrupt) return
  assert.equal(await store.create(id, newRecord({}, { id })), false, `overwritten: ${what}`)
  if (get) assert.equal(await get(id), text)
}

/** The answer of a call, and the reasons of the `corrupt` events that it publishes for the id. */
async function withReports(id: string, call: () => Promise<unknown>): Promise<{ answer: unknown; reasons: string[] }> {
  const reasons: string[] = []
  const listener = (message: unknown): void => {
    const event = message as SessionEvent
    if (event.type === 'corrupt' && event.id === id) reasons.push(event.reason)
  }
  subscribe(channelName, listener)
  try {
    return { answer: await call(), reasons }
  } finally {
    unsubscribe(channelName, listener)
  }
}

/** Pads the data of a record so that its text has that many bytes. */
function padded(record: SessionRecord, bytes: number): SessionRecord {
  const withPad = (length: number): SessionRecord => ({ ...record, data: { ...record.data, pad: 'x'.repeat(length) } })
  return withPad(bytes - Buffer.byteLength(writeRecord(withPad(0))))
}
