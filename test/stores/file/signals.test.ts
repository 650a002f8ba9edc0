import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { tempDir } from '../../support/files.js'
import { runTypeScript } from '../../support/typescript/option.js'

const run = promisify(execFile)

/**
 * Runs a process whose store evicts sessions, which takes a lock, and which then gets SIGTERM.
 *
 * @param before JavaScript that runs first. @param afterwards JavaScript that runs before the signal.
 */
async function terminate(t: ExecutionContext, before = '', afterwards = '') {
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
    ${afterwards}
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

/** Sends SIGTERM when signal-exit has just begun to listen, before the event loop can deliver the signal. */
const signalWhileLoading = `
  process.on('newListener', function send(name) {
    if (name !== 'SIGTERM') return
    process.off('newListener', send)
    queueMicrotask(() => process.kill(process.pid, 'SIGTERM'))
  })
  setTimeout(() => process.exit(1), 20_000)`

test('a SIGTERM that arrives while the store loads its locks ends the process', async (t) => {
  const error = await t.throwsAsync(() => terminate(t, signalWhileLoading, 'await new Promise(() => undefined)'))
  t.like(error, { signal: 'SIGTERM' })
})

test('an application that shuts down with process.once(SIGTERM) may finish, also if the signal arrives while the store loads its locks', async (t) => {
  const { stdout } = await terminate(t, `process.once('SIGTERM', () => setTimeout(() => {
    console.log('shut down')
    process.exit(0)
  }, 100))
  ${signalWhileLoading}`, 'await new Promise(() => undefined)')
  t.is(stdout, 'shut down\n')
})

test('a listener that the application adds later may finish too', async (t) => {
  const { stdout } = await terminate(t, '', `process.once('SIGTERM', () => setTimeout(() => {
    console.log('shut down')
    process.exit(0)
  }, 100))`)
  t.is(stdout, 'shut down\n')
})

test('an application that shuts down with process.once(SIGTERM) may finish, also if it has loaded signal-exit itself', async (t) => {
  const { stdout } = await terminate(t, `
    import { createRequire } from 'node:module'
    process.once('SIGTERM', () => setTimeout(() => {
      console.log('shut down')
      process.exit(0)
    }, 100))
    createRequire(import.meta.resolve('proper-lockfile'))('signal-exit')(() => undefined)`)
  t.is(stdout, 'shut down\n')
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
