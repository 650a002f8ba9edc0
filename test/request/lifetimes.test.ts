import test from 'ava'
import { deadlineOf, endOf, isDue } from '../src/lifetimes.js'
import type { SessionRecord } from '../src/store.js'

const rules = { lifetime: 1000, absoluteLifetime: 5000, touchAfter: 60 }
const record = (expires: number, lifetime?: number): SessionRecord => ({
  rev: 1, id: '', created: 0, expires, permanent: false, data: {}, ...(lifetime !== undefined && { lifetime })
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
  // Of a server whose clock is a little ahead: not worth a write, or the two would move it to and fro.
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

test('a record ends by its deadline, or by an absolute lifetime that was made shorter since', (t) => {
  t.is(endOf(rules, record(1000)), 1000)
  t.is(endOf(rules, record(9000)), 5000)
})
