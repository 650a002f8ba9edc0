import { array, assert, asyncProperty, nat } from 'fast-check'
import test from 'ava'
import { createHeap, type Candidate } from '../../../src/stores/file/heap.js'
import { idOf } from '../../../src/sid.js'

test('of any number of candidates the nearest are kept, each with its id', async (t) => {
  await assert(
    asyncProperty(array(nat(50)), nat(20), nat(25), async (deadlines, capacity, count) => {
      const heap = createHeap(capacity)
      const offered = new Map(deadlines.map((deadline, at) => [idOf(String(at)), deadline]))
      for (const [id, deadline] of offered) heap.offer({ id, deadline })
      const nearest: Candidate[] = []
      for await (const candidate of heap.nearest(count)) nearest.push(candidate)
      const expected = [...deadlines].sort((a, b) => a - b).slice(0, Math.min(capacity, count))
      t.deepEqual(nearest.map(({ deadline }) => deadline).sort((a, b) => a - b), expected)
      t.is(new Set(nearest.map(({ id }) => id)).size, nearest.length)
      for (const { id, deadline } of nearest) t.is(offered.get(id), deadline)
    })
  )
})
