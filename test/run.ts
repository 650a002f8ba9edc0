import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import path from 'node:path'
import { bundleTests } from './support/typescript/bundle.js'

/*
 * The last step of `npm test`: AVA over bundles of the test files, which saves about a minute of CPU. `npx ava` runs the files themselves.
 */

const ava = path.join(path.dirname(createRequire(import.meta.url).resolve('ava')), 'cli.mjs')
const env = { ...process.env, TEST_BUNDLES: await bundleTests() }
const child = spawn(process.execPath, [ava, '--node-arguments=--enable-source-maps', ...process.argv.slice(2)], { env, stdio: 'inherit' })
// It needs the bundles, so it ends first. A terminal sends SIGINT to both.
process.on('SIGINT', () => undefined)
for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => child.kill(signal))
child.once('close', (code) => process.exit(code ?? 1))
