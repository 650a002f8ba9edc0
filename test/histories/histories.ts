import { randomBytes } from 'node:crypto'
import type { TestFn } from 'ava'
import { needs } from '../support/needs.js'
import { check } from './model/check.js'
import { excerptOf } from './model/excerpt.js'
import { isUnknown } from './model/history.js'
import { conduct, type Fault, type Run, type Stage } from './run/conduct.js'
import { Workers } from './run/workers.js'
import type { StageMaker } from './stages/stage.js'

/** Few operations, because the suite must be done soon. `npm run torture` makes many. */
const size = { 1: { clients: 4, operations: 40 }, 4: { clients: 3, operations: 30 } }
/** One process has fewer rounds. */
const mostRoundsOfOne = 2
/** Of so many histories, the first violations are shown. */
const mostShown = 3

/** Promise 10 over stores: random operations of one and of four processes, with faults, are what the sequential model of each session allows. */
export function histories(test: TestFn, stages: readonly StageMaker[]): void {
  let workers: Workers
  test.before(() => {
    workers = new Workers()
  })
  test.after.always(() => workers?.close())

  for (const { name, missing, processes, start } of stages) {
    const among = processes.map((count) => (count === 1 ? 'one process' : `${count} processes`)).join(' and ')
    needs(test, missing === undefined, name, missing ?? '').serial(`promise 10: ${name}, ${among}: the history of each session is linearizable, whatever fails`, async (t) => {
      const { stage, faults } = await start(t)
      for (const count of processes) {
        const seed = randomBytes(4).toString('hex')
        const run = await make(workers, stage, seed, count, count === 1 ? faults.slice(0, mostRoundsOfOne) : faults)
        t.log(summaryOf(run))
        t.is(reportOf(run, name, seed, count), undefined)
        const { operations } = run.history
        t.true(operations.filter(isUnknown).length < operations.length / 2, 'most operations are answered')
      }
    })
  }
}

export function make(workers: Workers, stage: Stage, seed: string, processes: number, faults: readonly Fault[]): Promise<Run> {
  return conduct(workers, stage, { seed, processes, faults, ...size[processes === 1 ? 1 : 4] })
}

/** What contradicts the model, for people. `undefined`: nothing. */
export function reportOf({ history }: Run, store: string, seed: string, processes: number, options = ''): string | undefined {
  const violations = check(history)
  if (violations.length === 0) return undefined
  const again = `npm run torture -- --store ${store} --seed ${seed} --processes ${processes}${options}`
  return [`${violations.length} violations (seed ${seed}: ${again})`, ...violations.slice(0, mostShown).map(excerptOf)].join('\n')
}

export function summaryOf({ history, killed, stopped, evicted }: Run): string {
  const { operations } = history
  return `${operations.length} operations, ${operations.filter(isUnknown).length} with an unknown outcome, ${killed} processes killed, ${stopped} stopped, ${evicted} sessions evicted`
}
