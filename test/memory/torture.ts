import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { growthOf, heapsAfter, mostGrowth } from './measure.js'

/* `npm run torture:memory [-- 200000]`: makes so many requests on stores in memory and in files, and ends with 1 if memory grew. */

const requests = Number(process.argv[2] ?? 200_000)
const dir = mkdtempSync(path.join(tmpdir(), 'keepsake-memory-'))
let isFlat = true
try {
  for (const url of ['memory:', `file:${dir}?threshold=0`]) {
    const heaps = await heapsAfter(url, requests)
    const isFine = growthOf(heaps) < mostGrowth
    console.log(`${url.split(':')[0]!}, ${requests} requests: ${heaps.map((bytes) => `${(bytes / 1e6).toFixed(2)} MB`).join(', ')}: ${isFine ? 'flat' : 'it grew'}`)
    isFlat &&= isFine
  }
} finally {
  rmSync(dir, { recursive: true, force: true })
}
process.exit(isFlat ? 0 : 1)
