import test from 'ava'
import { check } from '../model/check.js'
import { excerptOf } from '../model/excerpt.js'
import { monotonicTime, timeAt, type Clock, type History } from '../model/history.js'
import type { ViolationKind } from '../model/violation.js'
import { MemoryRecorder } from '../run/recorder.js'
import { finishRound, playRound, type Planned } from '../run/round.js'
import { faultyStore } from './faulty-store.js'

const faults: readonly ViolationKind[] = [
  'lost update', 'stale read', 'resurrection', 'double application', 'torn record', 'wrong last state', 'phantom write', 'lost record', 'expired record', 'wrong listing'
]

/** A fault shows only when calls meet in the right way: this is tried so often, at most. */
const mostPlays = 20

test('promise 10: the history of a correct store has no violation', async (t) => {
  const history = await play(undefined, 'correct')
  t.true(history.operations.length > 500)
  t.deepEqual(check(history).map(excerptOf), [])
})

for (const fault of faults) {
  test(`promise 10: a store with this fault is found out by its history: ${fault}`, async (t) => {
    for (let seed = 0; seed < mostPlays; seed++) {
      const found = check(await play(fault, String(seed))).find(({ kind }) => kind === fault)
      if (!found) continue
      t.log(excerptOf(found))
      t.pass()
      return
    }
    t.fail(`not found in ${mostPlays} histories`)
  })
}

/** Four clients of one store with the fault. */
async function play(fault: ViolationKind | undefined, seed: string): Promise<History> {
  const clock: Clock = { base: Date.now(), origin: monotonicTime(), speed: 100_000 }
  const access = { store: faultyStore(fault, () => timeAt(clock, monotonicTime())), clock, clockIndex: 0 }
  const recorder = new MemoryRecorder('one')
  let ids = 0
  const nextId = (): string => (ids++).toString(36)
  const sessions = Array.from({ length: 12 }, (_, at): Planned => ({ name: `session ${at}`, type: at % 3 === 2 ? 'brief' : 'plain', creator: 0 }))
  await playRound({ seed, worker: 0, sessions, clients: 4, operations: 150, visitors: 0 }, [access], recorder, nextId)
  await finishRound(sessions, access, recorder, nextId)
  return { ...recorder.recorded(), clocks: [clock] }
}
