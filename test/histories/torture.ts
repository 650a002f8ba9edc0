import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { isUnknown } from './model/history.js'
import { make, reportOf, summaryOf } from './histories.js'
import type { Fault } from './run/conduct.js'
import { Workers } from './run/workers.js'
import { stages } from './stages/index.js'
import type { StageMaker } from './stages/stage.js'

/*
 * `npm run torture -- [--seconds 600] [--kills 1000] [--store file,redis] [--processes 4] [--seed 1a2b]`: makes histories until the time is over, or
 * until so many processes were killed, and ends with 1 at the first violation. All stores take turns. A seed repeats the operations and the faults, though
 * not how processes meet.
 */

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '600' },
    kills: { type: 'string' },
    store: { type: 'string', default: stages.map(({ name }) => name).join() },
    processes: { type: 'string' },
    seed: { type: 'string', default: randomBytes(4).toString('hex') }
  }
})
/** So many histories are made on a store before it is the next one's turn. */
const historiesPerTurn = 5
/** How many rounds that kill processes `--kills` adds to each history. */
const killsPerHistory = 8

const names = values.store.split(',')
const unknown = names.find((name) => !stages.some((stage) => stage.name === name))
if (unknown !== undefined) throw new Error(`--store: there is no ${unknown}, choose among ${stages.map(({ name }) => name).join(', ')}`)

const end = performance.now() + Number(values.seconds) * 1000
const kills = values.kills === undefined ? undefined : Number(values.kills)
/** With `--kills`, the time does not count. */
const isOver = (): boolean => (kills === undefined ? performance.now() > end : totals.killed >= kills)
const workers = new Workers()
const totals = { histories: 0, operations: 0, unknown: 0, killed: 0, stopped: 0, evicted: 0 }
let isFine = true
for (let turn = 0; isFine && (turn === 0 || !isOver()); turn++) {
  for (const stage of stages.filter(({ name }) => names.includes(name))) {
    if (isFine && (turn === 0 || !isOver())) isFine = await torture(stage, turn)
  }
}
await workers.close()
console.log(isFine ? 'no violation' : 'a violation', totals)
process.exit(isFine ? 0 : 1)

/** Returns the faults of a history, one for each round. With `--kills`, most rounds kill processes. */
function roundsWith(faults: readonly Fault[]): readonly Fault[] {
  if (kills === undefined || !faults.includes('kill')) return [...faults, ...faults]
  return [...faults, ...Array.from({ length: killsPerHistory }, () => 'kill' as const)]
}

/** Answers whether there was no violation. */
async function torture({ name, missing, processes, start }: StageMaker, turn: number): Promise<boolean> {
  if (missing !== undefined) {
    console.log(`${name}: left out, ${missing}`)
    return true
  }
  const teardowns: (() => unknown)[] = []
  try {
    const { stage, faults } = await start({ teardown: (run) => void teardowns.unshift(run) })
    for (let number = 0; number < historiesPerTurn; number++) {
      for (const count of processes.filter((each) => values.processes === undefined || each === Number(values.processes))) {
        const seed = turn + number === 0 ? values.seed : `${values.seed}-${turn}-${number}`
        const run = await make(workers, stage, seed, count, roundsWith(faults))
        totals.histories++
        totals.operations += run.history.operations.length
        totals.unknown += run.history.operations.filter(isUnknown).length
        for (const each of ['killed', 'stopped', 'evicted'] as const) totals[each] += run[each]
        console.log(`${name}, ${count} processes, seed ${seed}: ${summaryOf(run)}`)
        const report = reportOf(run, name, seed, count, kills === undefined ? '' : ` --kills ${kills}`)
        if (report === undefined) continue
        console.log(report)
        return false
      }
      if (isOver()) break
    }
    return true
  } finally {
    for (const teardown of teardowns) await teardown()
  }
}
