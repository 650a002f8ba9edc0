import { execFile } from 'node:child_process'
import { chmodSync, mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { fileStore } from '../../src/index.js'
import { seed } from '../support/cli-sessions.js'
import { install } from '../support/packed.js'

const run = promisify(execFile)

test('npx koa-keepsake runs the command of the installed package, in an application that has nothing else installed', async (t) => {
  const project = await install(t, [])
  // As npm does when it installs a package with a program.
  const program = join(project, 'node_modules/koa-keepsake/dist/cli/bin.js')
  chmodSync(program, 0o755)
  mkdirSync(join(project, 'node_modules/.bin'))
  symlinkSync(program, join(project, 'node_modules/.bin/koa-keepsake'))
  const store = fileStore({ dir: join(project, 'sessions') })
  t.teardown(() => store.close!())
  const [record] = await seed(store, [{ owner: '17' }])
  const { stdout, stderr } = await run('npx', ['--no-install', 'koa-keepsake', 'list'], { cwd: project })
  t.regex(stdout, new RegExp(`^ID .*\\n${record!.id} .* 17\\n$`))
  t.regex(stderr, /^1 session, \d+ B\n$/)
})
