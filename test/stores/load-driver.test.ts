import { execFile } from 'node:child_process'
import { mkdir, mkdtemp, realpath, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { buildSync } from 'esbuild'
import { loadDriver } from '../../src/stores/load-driver.js'
import { runTypeScript } from '../support/typescript/option.js'

const run = promisify(execFile)
const source = fileURLToPath(new URL('../../src/stores/load-driver.ts', import.meta.url))

test('the driver of this package is found from anywhere', (t) => {
  t.is(typeof (loadDriver('test', ['ioredis@5']).driver as { Redis: unknown }).Redis, 'function')
  t.is(loadDriver('test', ['redis@4.6', 'ioredis@5']).name, 'redis')
  t.is(loadDriver('test', ['not-installed-at-all', 'ioredis']).name, 'ioredis')
})

test('a driver that is missing or too old is an error that says what to install', (t) => {
  for (const [drivers, message] of [
    [['not-installed-at-all'], /^test needs a driver that is not installed: npm install not-installed-at-all$/],
    [['nobody@2', '@no/body@1.2', 'none'], /^test needs a driver that is not installed: npm install nobody \(or @no\/body, none\)$/],
    [['redis@1000', 'nobody'], /^test needs a driver: redis 6\.\d+\.\d+ is installed, but 1000 or later is needed: npm install redis@latest \(or nobody\)$/]
  ] as const) {
    t.throws(() => loadDriver('test', drivers), { message })
  }
})

test('versions are compared by their numbers', (t) => {
  for (const lowest of ['6', '6.0', '5.99', '6.3.0', '4.6']) t.is(loadDriver('test', [`redis@${lowest}`]).name, 'redis', lowest)
  for (const lowest of ['7', '6.100', '6.3.1000', '10']) t.throws(() => loadDriver('test', [`redis@${lowest}`]), { message: /or later is needed/ }, lowest)
})

test('the driver of the application comes first, another one takes the place of one that is too old', async (t) => {
  const dir = await application(t, { 'fake-redis': '3.1.2', 'fake-ioredis': '5.0.0', redis: '5.5.5' })
  t.deepEqual(await loadIn(dir, ['redis@4.6']), ['redis', '5.5.5'])
  t.deepEqual(await loadIn(dir, ['fake-redis@4.6', 'fake-ioredis@5']), ['fake-ioredis', '5.0.0'])
  t.regex(String(await loadIn(dir, ['fake-redis@4.6', 'fake-ioredis@6'])), /fake-redis 3\.1\.2 is installed, but 4\.6 or later is needed; fake-ioredis 5\.0\.0 is installed, but 6 or later is needed: npm install fake-redis@latest \(or fake-ioredis\)/)
})

test('it works in a CommonJS bundle, where a module does not know its own URL', async (t) => {
  const dir = await application(t, { 'fake-redis': '4.7.0' })
  const outfile = join(dir, 'bundle.cjs')
  buildSync({ entryPoints: [source], bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'silent' })
  t.deepEqual(await report(dir, `const { loadDriver } = require(${JSON.stringify(outfile)})`, ['fake-redis@4.6']), ['fake-redis', '4.7.0'])
})

/** A directory with packages of these versions, each of which exports its version and nothing else. */
async function application(t: ExecutionContext, packages: { readonly [name: string]: string }): Promise<string> {
  const dir = await realpath(await mkdtemp(join(tmpdir(), 'keepsake-driver-')))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  for (const [name, version] of Object.entries(packages)) {
    const entry = join(dir, 'node_modules', name, 'dist', 'index.js')
    await mkdir(dirname(entry), { recursive: true })
    await writeFile(entry, `module.exports = ${JSON.stringify(version)}`)
    // Not what says the version: many packages have such a file beside their CommonJS.
    await writeFile(join(dirname(entry), 'package.json'), '{"type":"commonjs"}')
    await writeFile(join(dir, 'node_modules', name, 'package.json'), JSON.stringify({ name, version, exports: './dist/index.js' }))
  }
  return dir
}

function loadIn(dir: string, drivers: string[]): Promise<unknown> {
  return report(dir, `const { loadDriver } = await import(${JSON.stringify(source)})`, drivers)
}

/** What the call gives in a process that runs in that directory. */
async function report(dir: string, load: string, drivers: string[]): Promise<unknown> {
  const script = `(async () => {
    ${load}
    try {
      const { name, driver } = loadDriver('test', ${JSON.stringify(drivers)})
      return [name, driver]
    } catch (error) {
      return error.message
    }
  })().then((answer) => console.log(JSON.stringify(answer)))`
  const { stdout } = await run(process.execPath, [runTypeScript, '-e', script], { cwd: dir })
  return JSON.parse(stdout) as unknown
}
