import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { tempDir } from '../../support/files.js'
import { runTypeScript } from '../../support/typescript/option.js'

const run = promisify(execFile)

/** Runs a process whose store evicts sessions, which takes a lock, and which then gets SIGTERM. @param before JavaScript that runs first. */
async function terminate(t: ExecutionContext, before = '') {
  const dir = JSON.stringify(tempDir(t))
  const script = `
    import { readdirSync } from 'node:fs'
    import { fileStore } from './src/index.ts'
    import { newRecord } from './test/support/files.ts'
    ${before}
    const store = fileStore({ dir: ${dir}, threshold: 10 })
    for (let at = 0; at < 30; at++) {
      const record = newRecord()
      await store.create(record.id, record)
    }
    while (readdirSync(${dir}).filter((name) => name.endsWith('.json')).length > 10) await new Promise((resolve) => setTimeout(resolve, 5))
    process.kill(process.pid, 'SIGTERM')
    setTimeout(() => process.exit(1), 30_000)`
  return run(process.execPath, [runTypeScript, '--input-type=module', '-e', script])
}

test('an application that shuts down with process.once(SIGTERM) may finish what is in progress', async (t) => {
  const { stdout } = await terminate(t, `process.once('SIGTERM', () => setTimeout(() => {
    console.log('shut down')
    process.exit(0)
  }, 100))`)
  t.is(stdout, 'shut down\n')
})

test('while the store loads its locks, it listens to no signal even for a moment, because a signal that arrives then would be lost', async (t) => {
  const error = await t.throwsAsync<Error & { stdout: string }>(() => terminate(t, `process.on('newListener', (name) => {
    if (String(name).startsWith('SIG')) console.log(name)
  })`))
  t.is(error?.stdout, '')
})

test('a process that another copy of signal-exit listens for is still ended by SIGTERM', async (t) => {
  const copy = JSON.stringify(join(tempDir(t), 'signal-exit'))
  const error = await t.throwsAsync(() => terminate(t, `
    import { cpSync } from 'node:fs'
    import { createRequire } from 'node:module'
    const require = createRequire(import.meta.resolve('proper-lockfile'))
    cpSync(require.resolve('signal-exit/package.json').replace(/.package.json$/, ''), ${copy}, { recursive: true })
    require(${copy})(() => console.log('cleaned up'))`))
  t.like(error, { signal: 'SIGTERM', stdout: 'cleaned up\n' })
})

test('SIGTERM ends a process that does not listen', async (t) => {
  const error = await t.throwsAsync(() => terminate(t))
  t.like(error, { signal: 'SIGTERM' })
})
