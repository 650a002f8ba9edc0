import test from 'ava'
import { ChangeTracker } from '../../src/request/change-tracker.js'
import { applyChanges, leavesData, type Changes } from '../../src/request/changes.js'
import type { Data } from '../../src/record/index.js'

const add = (value: unknown = 0) => (value as number) + 1

function after(data: Data, work: (tracker: ChangeTracker) => unknown): Changes {
  const tracker = new ChangeTracker(data)
  work(tracker)
  return tracker.changes()
}

test('reading is no change, not even of objects', (t) => {
  const data = { user: 'momo', cart: { items: ['tea'] }, at: { $date: '2026-01-01T00:00:00.000Z' } }
  t.is(after(data, (tracker) => tracker.keys().map((key) => tracker.get(key))).size, 0)
})

test('setting a key to an equal value is no change', (t) => {
  t.is(after({ user: 'momo', cart: ['tea'] }, (tracker) => [tracker.set('user', 'momo'), tracker.set('cart', ['tea'])]).size, 0)
})

test('a change inside a nested value is found without being announced', (t) => {
  const changes = after({ cart: { items: ['tea'] } }, (tracker) => (tracker.get('cart') as { items: string[] }).items.push('milk'))
  t.deepEqual(changes.get('cart'), { kind: 'set', json: { items: ['tea', 'milk'] } })
})

test('a key that is set and deleted again is no change when it was not stored', (t) => {
  t.is(after({}, (tracker) => [tracker.set('a', 1), tracker.delete('a')]).size, 0)
  t.deepEqual(after({ a: 1 }, (tracker) => tracker.delete('a')).get('a'), { kind: 'delete' })
})

test('changes apply key by key to newer data', (t) => {
  const changes = after({ mine: 1, gone: 1 }, (tracker) => [tracker.set('mine', 2), tracker.delete('gone')])
  t.deepEqual(applyChanges(changes, { mine: 7, gone: 7, theirs: 7 }), { mine: 2, theirs: 7 })
})

test('data without a key left is null', (t) => {
  t.is(applyChanges(after({ a: 1 }, (tracker) => tracker.clear()), { a: 2 }), null)
  t.is(applyChanges(new Map(), {}), null)
})

test('whether data is left is known without running a function of change()', (t) => {
  const fails = after({ a: 1 }, (tracker) => tracker.change('a', (value: unknown) => (value as { valueOf(): number }).valueOf() + 1))
  t.true(leavesData(fails, {}))
  t.true(leavesData(after({}, (tracker) => tracker.set('a', 1)), {}))
  const deletion = after({ a: 1 }, (tracker) => tracker.delete('a'))
  t.false(leavesData(deletion, {}))
  t.false(leavesData(deletion, { a: 2 }))
  t.true(leavesData(deletion, { a: 2, theirs: 1 }))
  t.false(leavesData(new Map(), {}))
})

test('clear() keeps what another request has set meanwhile', (t) => {
  t.deepEqual(applyChanges(after({ a: 1 }, (tracker) => tracker.clear()), { a: 2, theirs: 1 }), { theirs: 1 })
})

test('a function of change() runs again on a newer value, and not on the one that it was given', (t) => {
  const given: unknown[] = []
  const changes = after({ count: 1 }, (tracker) =>
    tracker.change('count', (value: unknown) => {
      given.push(value)
      return add(value)
    })
  )
  t.deepEqual(applyChanges(changes, { count: 1 }), { count: 2 })
  t.deepEqual(given, [1])
  t.deepEqual(applyChanges(changes, { count: 10 }), { count: 11 })
  t.deepEqual(given, [1, 10])
})

test('a value that was set and then changed does not depend on the stored one', (t) => {
  const changes = after({ count: 1 }, (tracker) => [tracker.set('count', 5), tracker.change('count', add)])
  t.deepEqual(applyChanges(changes, { count: 10 }), { count: 6 })
})

test('a function of change() that returns nothing or a promise is a TypeError, and changes nothing', (t) => {
  const tracker = new ChangeTracker({ cart: ['tea'] })
  t.throws(() => tracker.change('cart', () => undefined), { instanceOf: TypeError, message: /return the new value/ })
  t.throws(() => tracker.change('cart', async () => 1), { instanceOf: TypeError, message: /must be synchronous/ })
  t.is(tracker.changes().size, 0)
})

test('after a save, only what was done since is a change', (t) => {
  const tracker = new ChangeTracker({ count: 1 })
  tracker.change('count', add)
  tracker.set('user', 'momo')
  const saved = tracker.changes()
  tracker.change('count', add)
  tracker.noteSaved({ count: 8, user: 'momo', theirs: 1 }, saved)
  t.is(tracker.get('theirs'), 1)
  t.is(tracker.get('count'), 9)
  t.deepEqual(applyChanges(tracker.changes(), { count: 8, user: 'momo', theirs: 1 }), { count: 9, user: 'momo', theirs: 1 })
  t.deepEqual([...tracker.changes().keys()], ['count'])
})

test('a value that the request holds is still tracked after a save', (t) => {
  const tracker = new ChangeTracker({})
  const cart: string[] = []
  tracker.set('cart', cart)
  tracker.noteSaved({ cart: [] }, tracker.changes())
  cart.push('tea')
  t.deepEqual(tracker.changes().get('cart'), { kind: 'set', json: ['tea'] })
})

test('any string is a key', (t) => {
  for (const key of ['__proto__', 'constructor', 'toString', '', 'hasOwnProperty']) {
    const tracker = new ChangeTracker({})
    t.false(tracker.has(key))
    t.is(tracker.get(key), undefined)
    tracker.set(key, 1)
    t.deepEqual(tracker.keys(), [key])
    const data = applyChanges(tracker.changes(), {})!
    t.true(Object.hasOwn(data, key))
    t.is(Object.getPrototypeOf(data), Object.prototype)
  }
})
