import test from 'ava'
import * as fc from 'fast-check'
import Keygrip from 'keygrip'
import { HmacSha256 } from '../../src/cookie/hmac.js'
import { SecretSigner } from '../../src/cookie/signing-keys.js'

const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 300 }), fc.string({ maxLength: 300 }), fc.nat({ max: 9000 }).map((length) => 'é'.repeat(length)))
const secret = fc.oneof(fc.string({ unit: 'binary', minLength: 1, maxLength: 200 }), fc.uint8Array({ minLength: 1, maxLength: 200 }).map((bytes) => Buffer.from(bytes)))

test('a one-shot HMAC is what Keygrip makes with SHA-256, for any key and any text', (t) => {
  fc.assert(
    fc.property(secret, fc.array(text, { minLength: 1, maxLength: 3 }), (key, texts) => {
      const [hmac, reference] = [new HmacSha256(key), new Keygrip([key as string], 'sha256')]
      for (const each of texts) t.is(hmac.sign(each), reference.sign(each))
    }),
    { numRuns: 3000 }
  )
})

for (const bytes of [63, 64, 65, 4095, 4096, 4097]) {
  test(`keys and texts of ${bytes} bytes are signed as Keygrip signs them`, (t) => {
    const key = 'k'.repeat(bytes)
    for (const each of ['t'.repeat(bytes), `${'t'.repeat(bytes - 2)}é`]) t.is(new HmacSha256(key).sign(each), new Keygrip([key], 'sha256').sign(each))
  })
}

test('a long text leaves nothing behind in the MAC of a short one', (t) => {
  const hmac = new HmacSha256('key')
  const short = hmac.sign('short')
  hmac.sign('long'.repeat(1000))
  t.is(hmac.sign('short'), short)
})

test('several secrets sign and verify as a Keygrip of them does', (t) => {
  fc.assert(
    fc.property(fc.array(fc.string({ minLength: 1 }), { minLength: 1, maxLength: 4 }), fc.nat({ max: 5 }), fc.string(), (secrets, which, data) => {
      const [signer, reference] = [new SecretSigner(secrets), new Keygrip(secrets, 'sha256')]
      t.is(signer.sign(data), reference.sign(data))
      const mac = new Keygrip([secrets[which] ?? 'another'], 'sha256').sign(data)
      for (const each of [mac, `${mac}A`, mac.slice(1), '', 'é'.repeat(43), mac.toLowerCase()]) t.is(signer.index(data, each), reference.index(data, each))
    }),
    { numRuns: 1000 }
  )
})

test('where a one-shot HMAC differs from Keygrip, Keygrip signs', (t) => {
  const broken = new SecretSigner(['one', 'two'], (key) => ({ sign: (data) => (key === 'one' ? 'x'.repeat(43) : new HmacSha256(key).sign(data)) }))
  const reference = new Keygrip(['one', 'two'], 'sha256')
  t.is(broken.sign('data'), reference.sign('data'))
  t.is(broken.index('data', reference.sign('data')), 0)
})
