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

/** Holds values with weights up to 40 in all. */
function weighedMap(): RecentMap<{ weight: number }> {
  return new RecentMap(40, ({ weight }) => weight)
}

test('a recent map of values with weights is bounded by their sum, to within one value, and keeps the last values that fill half of it', (t) => {
  for (const weight of [10, 19, 7, 1]) {
    const map = weighedMap()
    for (let key = 0; key < 100; key++) {
      map.set(String(key), { weight })
      t.true(map.size * weight < 40 + weight, `${map.size} values of ${weight}`)
      for (let recent = key; recent >= 0 && (key - recent + 1) * weight <= 20; recent--) t.true(map.has(String(recent)))
    }
  }
})

test('an empty text is a value like others', (t) => {
  const map = new RecentMap<string>(8)
  map.set('a', '')
  t.is(map.get('a'), '')
  map.delete('a')
  t.false(map.has('a'))
})

test('values that were replaced or deleted take no room in a recent map', (t) => {
  const map = weighedMap()
  map.set('kept', { weight: 10 })
  for (let weight = 1; weight <= 10; weight++) map.set('replaced', { weight })
  for (let times = 0; times < 10; times++) {
    map.set('deleted', { weight: 5 })
    map.delete('deleted')
  }
  t.true(map.has('kept'))
  t.true(map.has('replaced'))
})
