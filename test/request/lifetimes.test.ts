import test from 'ava'
import { deadlineOf, endOf, isDue } from '../../src/request/lifetimes.js'
import type { SessionRecord } from '../../src/record/index.js'

const rules = { lifetime: 1000, absoluteLifetime: 5000, touchAfter: 60 }
const record = (expires: number, lifetime?: number, used = expires): SessionRecord => ({
  rev: 1, write: 'w', id: '', created: 0, used, expires, permanent: false, data: {}, ...(lifetime !== undefined && { lifetime })
})

test('a deadline is the lifetime from now, and never past creation and the absolute lifetime', (t) => {
  t.is(deadlineOf(rules, 0, undefined, 100), 1100)
  t.is(deadlineOf(rules, 0, 200, 100), 300)
  t.is(deadlineOf(rules, 0, undefined, 4500), 5000)
  t.is(deadlineOf({ ...rules, absoluteLifetime: Infinity }, 0, undefined, 4500), 5500)
})

for (const [expires, lifetime, now, due] of [
  [1000, undefined, 0, false],
  [1000, undefined, 59, false],
  [1000, undefined, 60, true],
  [100, 100, 9, false],
  [100, 100, 10, true],
  [9000, undefined, 0, true],
  // A server whose clock is a little ahead wrote it. It is not worth a write: two such servers would move it back and forth.
  [1099, undefined, 0, false],
  [5000, undefined, 4990, false]
] as const) {
  test(`a deadline of ${expires} with a lifetime of ${lifetime ?? 'the rules'} is ${due ? '' : 'not '}due at ${now}`, (t) => {
    t.is(isDue(rules, record(expires, lifetime), now), due)
  })
}

test('with touchAfter 0 every deadline that can be moved is due', (t) => {
  t.true(isDue({ ...rules, touchAfter: 0 }, record(1000), 1))
  t.false(isDue({ ...rules, touchAfter: 0 }, record(1000), 0))
})

test('a record ends at its deadline, or earlier when an option was lowered since', (t) => {
  t.is(endOf(rules, record(1000)), 1000)
  t.is(endOf(rules, record(9000)), 5000)
  t.is(endOf(rules, record(4000, undefined, 2000)), 3000)
  t.is(endOf(rules, record(4000, 2500, 1000)), 3500)
})
