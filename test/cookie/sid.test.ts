import test from 'ava'
import { createHash } from 'node:crypto'
import { createSid, idOf } from '../../src/cookie/index.js'

test('a sid is 43 characters of base64url, and no two are alike', (t) => {
  const sids = Array.from({ length: 2000 }, createSid)
  t.is(new Set(sids).size, 2000)
  t.true(sids.every((sid) => /^[A-Za-z0-9_-]{43}$/.test(sid) && Buffer.from(sid, 'base64url').length === 32))
})

test('the id of a sid is its SHA-256 in lower-case hex', (t) => {
  const sid = createSid()
  t.is(idOf(sid), createHash('sha256').update(sid).digest('hex'))
})
