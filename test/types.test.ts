import test from 'ava'
import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))

for (const project of ['plain', 'augmented']) {
  test(`ctx.session is typed in Koa and @koa/router, and wrong uses do not compile: ${project} SessionData`, async (t) => {
    const compiler = run(process.execPath, ['node_modules/typescript/bin/tsc', '-p', `test/types/${project}`], { cwd: root })
    const output = await compiler.then(({ stdout }) => stdout, (error: { stdout: string }) => error.stdout)
    t.is(output, '')
  })
}
