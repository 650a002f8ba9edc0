import { array, assert, asyncProperty, nat } from 'fast-check'
import test from 'ava'
import { hash } from 'node:crypto'
import { LowestRanks, type Candidate } from '../../../src/stores/file/cleanup/lowest-ranks.js'

test('of any number of candidates those with the lowest ranks are kept, each with its id', async (t) => {
  await assert(
    asyncProperty(array(nat(50)), nat(20), nat(25), async (ranks, capacity, count) => {
      const nearest = new LowestRanks(capacity)
      const offered = new Map(ranks.map((rank, at) => [hash('sha256', String(at)), rank]))
      for (const [id, rank] of offered) nearest.offer({ id, rank })
      const lowest: Candidate[] = []
      for await (const candidate of nearest.lowest(count)) lowest.push(candidate)
      const expected = ranks.toSorted((a, b) => a - b).slice(0, Math.min(capacity, count))
      t.deepEqual(lowest.map(({ rank }) => rank).toSorted((a, b) => a - b), expected)
      t.is(new Set(lowest.map(({ id }) => id)).size, lowest.length)
      for (const { id, rank } of lowest) t.is(offered.get(id), rank)
    })
  )
})
