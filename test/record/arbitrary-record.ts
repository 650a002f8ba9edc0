import * as fc from 'fast-check'
import type { SessionRecord } from '../../src/record/index.js'

/** Any record of an id, with and without what may be absent, and with a field that this version does not know. */
export function records(id: string): fc.Arbitrary<SessionRecord> {
  const time = fc.nat({ max: 8.64e15 })
  return fc.record(
    {
      rev: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
      write: fc.string({ minLength: 1 }),
      id: fc.constant(id),
      created: time,
      used: time,
      expires: time,
      permanent: fc.boolean(),
      lifetime: fc.integer({ min: 1, max: 1e12 }),
      owner: fc.string({ unit: 'binary', minLength: 1, maxLength: 128 }),
      moved: fc.constant(true as const),
      data: fc.dictionary(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('toJSON', 'rev', 'id', '__proto__')), fc.jsonValue(), { noNullPrototype: true }),
      future: fc.jsonValue()
    },
    { requiredKeys: ['rev', 'write', 'id', 'created', 'used', 'expires', 'permanent', 'data'], noNullPrototype: true }
  ) as fc.Arbitrary<SessionRecord>
}
