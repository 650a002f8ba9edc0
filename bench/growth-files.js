// The file store with many records, in a process of its own: `node growth-files.js <settings as JSON>`, answers as JSON.
// CPU µs are of the whole process, threads included, with 16 calls in flight.
import { hash } from 'node:crypto'
import { subscribe } from 'node:diagnostics_channel'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { setTimeout as delay } from 'node:timers/promises'
import { sessionData } from './work.js'

const { dir, dist, count, calls } = JSON.parse(process.argv[2])
const { fileStore, channelName } = await import(`${dist}/index.js`)
const { createMark } = await import(`${dist}/store/index.js`)
const inFlight = 16
const lifetime = 31 * 24 * 3600_000
const idOf = (number) => hash('sha256', `session ${number}`)
const recordOf = (number) => {
  const created = Date.now()
  // Deadlines of sessions that were last used some time in the last days.
  const expires = created + lifetime - (number % 1000) * 60_000
  return { rev: 1, write: createMark(), id: idOf(number), created, used: created, expires, permanent: false, data: sessionData() }
}

await fill()
const result = { count }

// Start-up: a new store and its first answer.
let store = fileStore({ dir, threshold: 0 })
result.start = (await timed(1, async () => store.read(idOf(0)))).wall
result.readUncached = await readUncached()
await perCall(2000, (number) => store.read(idOf(pick(number))))
result.read = await perCall(calls, (number) => store.read(idOf(pick(number))))
await perCall(1000, (number) => store.update(idOf(pick(number)), plusOne))
result.write = await perCall(calls, (number) => store.update(idOf(pick(number)), plusOne))
result.create = await perCall(calls, (number) => store.create(idOf(count + number), recordOf(count + number)))
result.sweep = await timed(1, () => store.prune())
await store.close()

// At the threshold: as many new sessions as one eviction makes room for, with the eviction that they cause. The one before
// it, when the store was just full, is not theirs.
const present = count + calls
const creations = Math.floor(present / 10) + 1
let evicted = 0
let added = 0
subscribe(channelName, ({ type }) => (evicted += type === 'evict' ? 1 : 0))
store = fileStore({ dir, threshold: present })
await add(1)
await settled(creations)
result.createAtThreshold = await timed(creations, async () => {
  await add(creations)
  await settled(2 * creations)
})
await store.close()
process.stdout.write(JSON.stringify(result))

/** The cost of reads by stores that have not read these sessions before. */
async function readUncached() {
  const each = Math.min(calls, 1000)
  let sum = 0
  for (let read = 0; read < calls; read += each) {
    const fresh = fileStore({ dir, threshold: 0 })
    sum += await perCall(each, (number) => fresh.read(idOf(pick(read + number))))
    await fresh.close()
  }
  return sum / (calls / each)
}

function plusOne(record) {
  return { ...record, data: { ...record.data, visits: record.data.visits + 1 } }
}

function add(total) {
  const first = present + added
  added += total
  return repeat(total, (number) => store.create(idOf(first + number), recordOf(first + number)))
}

/** Until evictions have removed as many and no more come. */
async function settled(total) {
  const end = performance.now() + 600_000
  let seen
  do {
    if (performance.now() > end) throw new Error(`Only ${evicted} of ${total} sessions were removed at the threshold`)
    seen = evicted
    await delay(300)
  } while (seen < evicted || seen < total)
}

/** A spread over all records without a random number each. */
function pick(number) {
  return (number * 7919) % count
}

/** The store writes the records itself: the times of their files mean something to it. */
async function fill() {
  const filling = fileStore({ dir, threshold: 0 })
  await repeat(count, (number) => filling.create(idOf(number), recordOf(number)))
  await filling.close()
}

async function perCall(total, call) {
  return (await timed(total, () => repeat(total, call))).cpu
}

async function timed(total, work) {
  const loop = monitorEventLoopDelay({ resolution: 1 })
  loop.enable()
  const cpu = process.cpuUsage()
  const start = performance.now()
  await work()
  const wall = performance.now() - start
  const { user, system } = process.cpuUsage(cpu)
  loop.disable()
  return { cpu: (user + system) / total, wall, longest: loop.max / 1e6 }
}

/** Each call must find its record, or store it. */
async function repeat(total, call) {
  let next = 0
  const worker = async () => {
    while (next < total) {
      const number = next++
      if (!(await call(number))) throw new Error(`call ${number} of ${total} had no effect`)
    }
  }
  await Promise.all(Array.from({ length: inFlight }, worker))
}
