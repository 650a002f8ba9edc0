import test from 'ava'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Client } from '../support/client.js'
import { startProcesses } from '../support/fleet.js'

test('data is still there after the process was killed and another one was started', async (t) => {
  const dir = mkdtempSync(join(tmpdir(), 'keepsake-restart-'))
  t.teardown(() => rmSync(dir, { recursive: true, force: true }))
  const module = new URL('../support/file-store.ts', import.meta.url)

  const first = await startProcesses(1, module, dir)
  const browser = new Client(first.origins[0]!)
  await browser.get('/set?key=user&value=momo')
  await browser.get('/change')
  await first.close()

  const second = await startProcesses(1, module, dir)
  t.teardown(() => second.close())
  const again = browser.at(second.origins[0]!)
  t.deepEqual((await again.get('/get')).json, { user: 'momo', count: 1 })
  await again.get('/change')
  t.deepEqual((await again.get('/get')).json, { user: 'momo', count: 2 })
})
