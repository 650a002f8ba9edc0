import test from 'ava'
import * as fc from 'fast-check'
import { RecentMap } from '../src/recent-map.js'

const most = 8
const step = fc.tuple(fc.constantFrom('set', 'get', 'delete'), fc.nat({ max: 15 }).map(String))

test('a recent map never holds more than its bound, answers the newest value, and keeps the half that was used last', (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
      const map = new RecentMap<{ at: number }>(most)
      const values = new Map<string, { at: number }>()
      const used: string[] = []
      for (const [at, [action, key]] of steps.entries()) {
        if (action === 'set') {
          map.set(key, { at })
          values.set(key, { at })
        }
        if (action === 'delete') {
          map.delete(key)
          values.delete(key)
        }
        const found = action === 'get' ? map.get(key) : undefined
        if (found) t.deepEqual(found, values.get(key))
        if (action === 'set' || found) used.push(key)
        t.true(map.size <= most)
        for (const recent of [...new Set(used.toReversed())].slice(0, most / 2)) t.is(map.has(recent), values.has(recent))
      }
      t.is([...values.keys()].filter((key) => map.has(key)).length, map.size)
      map.clear()
      t.is(map.size, 0)
    })
  )
})

/** Holds values with sizes up to 40 in all. */
function sizedMap(): RecentMap<{ size: number }> {
  return new RecentMap(40, ({ size }) => size)
}

test('a recent map of values with sizes is bounded by their sum, and keeps the last values that fill half of it', (t) => {
  const map = sizedMap()
  for (let key = 0; key < 100; key++) {
    map.set(String(key), { size: 10 })
    t.true(map.size <= 4)
    if (key > 0) t.true(map.has(String(key - 1)))
    t.true(map.has(String(key)))
  }
})

test('values that were replaced or deleted take no room in a recent map', (t) => {
  const map = sizedMap()
  map.set('kept', { size: 10 })
  for (let size = 1; size <= 10; size++) map.set('replaced', { size })
  for (let times = 0; times < 10; times++) {
    map.set('deleted', { size: 5 })
    map.delete('deleted')
  }
  t.true(map.has('kept'))
  t.true(map.has('replaced'))
})
