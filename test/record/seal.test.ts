import test from 'ava'
import { createDecipheriv, hkdfSync } from 'node:crypto'
import * as fc from 'fast-check'
import { createSid, idOf } from '../../src/cookie/index.js'
import { DerivedKeys } from '../../src/record/derived-keys.js'
import { flawOf, isSealed, readRecord, RecordSealer, Sealer, writeRecord, type SessionRecord } from '../../src/record/index.js'
import { records } from './arbitrary-record.js'

const secret = 'a secret of more than thirty-two characters'
const older = 'an older secret of more than thirty-two characters'
const purpose = 'a test'
const sid = createSid()
const record: SessionRecord = {
  rev: 7, write: 'kT3v9a', id: idOf(sid), created: 1763632800000, used: 1763633100000, expires: 1766311200000, permanent: false, owner: '17', data: { cart: ['tea'] }
}

test('the key of a sid is that of HKDF-SHA-256 from the sid and the secret', (t) => {
  const secrets = fc.oneof(fc.string({ unit: 'binary', minLength: 1 }), fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)))
  fc.assert(
    fc.property(secrets, fc.string(), fc.string({ unit: 'binary' }), (each, purposeOfKey, sidOfKey) => {
      const expected = hkdfSync('sha256', `${purposeOfKey}\n${sidOfKey}`, each, purposeOfKey, 32)
      t.true(new DerivedKeys(each, purposeOfKey).keyOf(sidOfKey).equals(Buffer.from(expected)))
    })
  )
})

test('any text comes back, and only with its sid, its facts, its purpose and its secret', (t) => {
  const sealer = new Sealer([secret], purpose)
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string(), (text, facts) => {
      const sealed = sealer.seal(text, sid, facts)
      t.regex(sealed, /^[A-Za-z0-9_-]+$/)
      t.is(sealer.unseal(sealed, sid, facts), text)
      t.is(sealer.unseal(sealed, createSid(), facts), undefined)
      t.is(sealer.unseal(sealed, sid, `${facts} `), undefined)
      t.is(new Sealer([secret], `${purpose} `).unseal(sealed, sid, facts), undefined)
      t.is(new Sealer([`${secret} `], purpose).unseal(sealed, sid, facts), undefined)
    })
  )
})

test('each sealing has a nonce of its own', (t) => {
  const sealer = new Sealer([secret], purpose)
  const nonces = Array.from({ length: 2_000 }, () => sealer.seal('the same text', sid, '').slice(1, 17))
  t.is(new Set(nonces).size, nonces.length)
})

test('a sealed text that is edited at any position, cut or lengthened is refused', (t) => {
  const sealer = new Sealer([secret], purpose)
  const sealed = sealer.seal('{"cart":["tea"]}', sid, '')
  for (let at = 0; at < sealed.length; at++) {
    const edited = Buffer.from(sealed.slice(1), 'base64url')
    if (at < edited.length) {
      edited[at]! ^= 1
      t.is(sealer.unseal(`1${edited.toString('base64url')}`, sid, ''), undefined, `byte ${at}`)
    }
    t.is(sealer.unseal(sealed.slice(0, at), sid, ''), undefined, `cut at ${at}`)
  }
  for (const other of ['', '1', '2', `2${sealed.slice(1)}`, `${sealed}AAAA`, `1AAAA${sealed.slice(1)}`, ' ', '{}', '1'.repeat(50)]) t.is(sealer.unseal(other, sid, ''), undefined, other)
})

test('the newest secret seals, and each opens', (t) => {
  const before = new Sealer([older], purpose).seal('text', sid, '')
  const rotated = new Sealer([secret, Buffer.from(older)], purpose)
  t.is(rotated.unseal(before, sid, ''), 'text')
  t.is(new Sealer([secret], purpose).unseal(before, sid, ''), undefined)
  t.is(new Sealer([secret], purpose).unseal(rotated.seal('text', sid, ''), sid, ''), 'text')
})

const sealer = new RecordSealer([secret])

test('a sealed record has its facts and none of its data, and is read as a record', (t) => {
  const sealed = sealer.seal(record, sid)
  const { data: _, ...facts } = record
  t.like(sealed, { ...facts, data: {} })
  t.true(isSealed(sealed))
  t.false(isSealed(record))
  const text = writeRecord(sealed)
  t.false(/cart|tea/.test(text))
  t.deepEqual(readRecord(text, record.id), { record: sealed })
})

test('any record is unsealed as it was, with fields that are not known', (t) => {
  fc.assert(
    fc.property(records(record.id), (each) => {
      const read = JSON.parse(JSON.stringify(sealer.seal(each, sid))) as SessionRecord
      const expected = JSON.parse(JSON.stringify(each)) as SessionRecord
      // `sealed` is undefined then.
      t.deepEqual(JSON.parse(JSON.stringify(sealer.unseal(read, sid))), expected)
      t.deepEqual(JSON.parse(JSON.stringify(new RecordSealer([secret]).unseal(read, sid))), expected, 'decrypted, because this sealer has not seen it')
    })
  )
})

test('the data is bound to the id, the creation and the owner', (t) => {
  const sealed = sealer.seal(record, sid)
  const { owner: _, ...withoutOwner } = sealed
  const edited: readonly SessionRecord[] = [
    { ...sealed, id: idOf(createSid()) }, { ...sealed, created: sealed.created + 1 }, { ...sealed, owner: '18' }, { ...sealed, owner: '17\n' }, withoutOwner
  ]
  for (const each of edited) t.is(sealer.unseal(each, sid), undefined)
  for (const facts of [{ used: 1 }, { expires: 2 }, { rev: 9 }, { write: 'x' }, { permanent: true }, { lifetime: 5 }]) {
    t.deepEqual(sealer.unseal({ ...sealed, ...facts }, sid)?.data, record.data)
  }
  const { owner: __, ...anonymous } = record
  t.is(sealer.unseal({ ...sealer.seal(anonymous, sid), owner: '17' }, sid), undefined)
})

test('a record is corrupt if it is sealed and has data too, or if what is sealed is not a text', (t) => {
  const sealed = sealer.seal(record, sid)
  t.is(flawOf(sealed, record.id), undefined)
  t.is(flawOf({ ...sealed, data: { cart: [] } }, record.id), 'it is sealed, but has data that is not')
  for (const other of [null, 1, {}, [], true]) t.is(flawOf({ ...sealed, sealed: other }, record.id), 'sealed is not a text')
})

test('a sealed record has the format that docs/sealing.md describes', (t) => {
  const { sealed = '' } = sealer.seal(record, sid)
  const name = 'koa-keepsake sealed record'
  const bytes = Buffer.from(sealed.slice(1), 'base64url')
  const decryption = createDecipheriv('aes-256-gcm', Buffer.from(hkdfSync('sha256', `${name}\n${sid}`, secret, name, 32)), bytes.subarray(0, 12))
  decryption.setAAD(Buffer.from([name, record.id, record.created, record.owner].join('\n')))
  decryption.setAuthTag(bytes.subarray(-16))
  t.is(sealed[0], '1')
  t.is(decryption.update(bytes.subarray(12, -16), undefined, 'utf8') + decryption.final('utf8'), JSON.stringify(record.data))
})
