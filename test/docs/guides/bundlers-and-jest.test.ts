import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { install, moduleFile, runs } from '../../support/packed.js'
import { readPage } from '../snippets.js'

// The code of docs/guides/bundlers-and-jest.md, in a project that has installed the package.

const run = promisify(execFile)
const page = readPage('docs/guides/bundlers-and-jest.md')
const [app = '', jestTest = ''] = Array.from(page.matchAll(/^```cjs\n(.*?)^```/gms), ([, code]) => code!)
const bundling = /^esbuild (.*)$/m.exec(page)![1]!.split(' ')

test('the application is tested by jest without any configuration', async (t) => {
  const project = await install(t)
  writeFileSync(join(project, 'app.cjs'), app)
  writeFileSync(join(project, 'app.test.cjs'), jestTest)
  const { stderr } = await run(process.execPath, [moduleFile('jest/bin/jest.js'), '--rootDir', project, '--testMatch', '**/*.test.cjs'], { cwd: project })
  t.regex(stderr, /Tests: +1 passed/)
  t.notRegex(stderr, /did not exit/)
})

const use = `
const { app } = require('./bundle.cjs')
const server = app.listen(0, '127.0.0.1', async () => {
  const url = 'http://127.0.0.1:' + server.address().port
  const { headers } = await fetch(url)
  const [cookie] = headers.getSetCookie()[0].split(';')
  console.log(await (await fetch(url, { headers: { cookie } })).text())
  server.close()
})
`

test('the application runs as a bundle of esbuild, where no package is installed', async (t) => {
  const project = await install(t)
  const alone = mkdtempSync(join(tmpdir(), 'keepsake-bundle-'))
  t.teardown(() => rmSync(alone, { recursive: true }))
  writeFileSync(join(project, 'app.cjs'), app)
  writeFileSync(join(alone, 'use.cjs'), use)
  await run(moduleFile('.bin/esbuild'), bundling.map((each) => each.replace('bundle.cjs', join(alone, 'bundle.cjs'))), { cwd: project })
  t.is(await runs(t, alone, 'use.cjs'), 'visit 2')
})
