import test from 'ava'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { fileStore, memoryStore } from '../../src/index.js'
import { Client } from '../support/client.js'
import { startStory } from '../support/story.js'

const dir = mkdtempSync(join(tmpdir(), 'keepsake-loop-'))
test.after.always(() => rmSync(dir, { recursive: true, force: true }))

for (const [name, makeStore] of [['memory', () => memoryStore()], ['files', () => fileStore({ dir })]] as const) {
  test.serial(`the event loop is not held over 20 ms by many sessions at work: ${name}`, async (t) => {
    const { origin } = await startStory(
      t,
      {
        '/': (ctx) => {
          ctx.session.setDefault('list', Array.from({ length: 200 }, (_, n) => ({ n, text: 'tea' })))
          ctx.session.change<number>('count', (count = 0) => count + 1)
        }
      },
      { store: makeStore(), storeTimeout: 60_000 }
    )
    const clients = Array.from({ length: 40 }, () => new Client(origin))
    const longest: number[] = []
    // A machine that is busy with other things holds us up as well, now and then: what we do ourselves shows every time.
    for (let attempt = 0; attempt < 8; attempt++) {
      const delay = monitorEventLoopDelay({ resolution: 1 })
      delay.enable()
      for (let at = 0; at < clients.length; at += 8) {
        const answers = await Promise.all(clients.slice(at, at + 8).map((client) => client.get('/')))
        for (const { status } of answers) t.is(status, 204)
      }
      delay.disable()
      longest.push(delay.max / 1e6)
      if (delay.max / 1e6 < 20) break
    }
    t.true(longest.at(-1)! < 20, longest.join(' '))
  })
}
