import path from 'node:path'
import test from 'ava'
import { tempDir } from '../support/files.js'
import { growthOf, heapsAfter, mostGrowth } from './measure.js'

// `npm run torture:memory` makes 200 000 requests.
const requests = 12_000

for (const name of ['memory', 'files']) {
  test.serial(`${name}: memory stays flat, however many requests there are`, async (t) => {
    const heaps = await heapsAfter(name === 'memory' ? 'memory:' : `file:${path.join(tempDir(t), 'sessions')}?threshold=0`, requests)
    t.log(heaps.map((bytes) => `${(bytes / 1e6).toFixed(2)} MB`).join(', '))
    t.true(growthOf(heaps) < mostGrowth, heaps.join(', '))
  })
}
