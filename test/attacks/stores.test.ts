import test from 'ava'
import { backends, type Opened } from './backends/index.js'
import { cases } from './cases/index.js'
import { Stage } from './stage.js'

for (const { name, needs, start } of backends) {
  const runner = needs(test)
  const teardowns: (() => unknown)[] = []
  let opened: Opened
  runner.serial.before(`${name} starts`, async () => {
    opened = await start({ teardown: (run) => void teardowns.unshift(run) })
  })
  runner.serial.after.always(`${name} ends`, async () => {
    for (const teardown of teardowns) await teardown()
  })

  for (const [title, show] of cases) {
    runner.serial(`${name}: ${title}`, async (t) => {
      await show(new Stage(name, opened, t), t)
    })
  }
}
