import test from 'ava'
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { manifest, moduleFile, tarball } from '../support/packed.js'

const run = promisify(execFile)

test('the tarball holds the built package and its papers, and neither sources nor tests', async (t) => {
  const { stdout } = await run('tar', ['-tzf', await tarball()])
  const names = stdout.trim().split('\n').map((name) => name.replace('package/', ''))
  for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/index.js', 'dist/index.d.ts', 'dist/testing/index.js', 'dist/store/index.js', 'dist/migrating/index.js', 'dist/testing/index.d.ts']) {
    t.true(names.includes(name), name)
  }
  t.deepEqual(names.filter((name) => !name.startsWith('dist/') && !/^[A-Z]+(\.md)?$|^package\.json$/.test(name)), [])
  t.deepEqual(names.filter((name) => name.startsWith('dist/') && !/\.(js|d\.ts)$/.test(name) && name !== 'dist/cjs/package.json'), [])
})

// An optional peer dependency blocks the installation beside another version of the driver: an application's own redis 3, say.
test('no driver is a dependency or a peer dependency', (t) => {
  t.deepEqual(Object.keys(manifest.peerDependencies).toSorted(), ['@types/koa', 'koa'])
  t.deepEqual(Object.keys(manifest.dependencies).toSorted(), ['cli-progress', 'cli-table3', 'commander', 'keygrip', 'on-headers', 'proper-lockfile'])
})

test('publint finds nothing to say', async (t) => {
  const { stdout } = await run(moduleFile('.bin/publint'), ['run', await tarball(), '--strict'])
  t.regex(stdout, /All good/)
})

test('are the types wrong? No, in every way a module can be resolved', async (t) => {
  const { stdout } = await run(moduleFile('.bin/attw'), [await tarball(), '--profile', 'strict', '--no-definitely-typed', '--format', 'json'])
  const { analysis } = JSON.parse(stdout) as { analysis: { problems: unknown[] } }
  t.deepEqual(analysis.problems, [])
})
