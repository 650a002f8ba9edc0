import { array, assert, nat, property } from 'fast-check'
import test from 'ava'
import { createHeap } from '../../../src/stores/file/heap.js'

test('of any number of candidates the nearest are kept', (t) => {
  assert(
    property(array(nat(50)), nat(20), nat(25), (deadlines, capacity, count) => {
      const heap = createHeap(capacity)
      for (const [at, deadline] of deadlines.entries()) heap.offer({ id: String(at), deadline })
      const nearest = heap.nearest(count).map(({ deadline }) => deadline)
      const expected = [...deadlines].sort((a, b) => a - b).slice(0, Math.min(capacity, count))
      t.deepEqual(nearest.sort((a, b) => a - b), expected)
    })
  )
})
