import test, { type ExecutionContext } from 'ava'
import { check } from './model/check.js'
import { excerptOf } from './model/excerpt.js'
import { conduct } from './run/conduct.js'
import { Workers } from './run/workers.js'
import { stages } from './stages/index.js'

// Promise 10: random operations of several processes under faults, each with its invocation and answer, checked against the sequential model.

const seed = String(process.env['SEED'] ?? Date.now())
const workers = new Workers()
test.after.always(() => workers.close())

for (const maker of stages) {
  const title = `${maker.name}: a random history of processes that are killed and stopped has one commit for each revision, no stale read and no resurrection`
  if (maker.missing !== undefined) {
    const only = process.env['CI'] === 'true' ? test : test.skip
    only(`${maker.name}: ${maker.missing}`, (t: ExecutionContext) => t.fail(maker.missing))
    continue
  }
  test.serial(title, async (t) => {
    const { stage, faults } = await maker.start(t)
    for (const processes of maker.processes) {
      const { history } = await conduct(workers, stage, { seed: `${seed}p${processes}`, processes, faults, clients: 3, operations: processes === 1 ? 40 : 30 })
      t.true(history.operations.length > 50)
      t.deepEqual(check(history).map(excerptOf), [], `SEED=${seed}`)
    }
  })
}
