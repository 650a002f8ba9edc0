import test, { type ExecutionContext } from 'ava'
import { execFile } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

// The package as a user gets it: built and packed apart from the sources, installed, and used.

const run = promisify(execFile)
const root = fileURLToPath(new URL('..', import.meta.url))
const bin = (name: string) => join(root, 'node_modules/.bin', name)
const work = mkdtempSync(join(tmpdir(), 'keepsake-package-'))
let tarball: string

interface Manifest {
  dependencies: Record<string, string>
  peerDependencies: Record<string, string>
  exports: Record<string, unknown>
}
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Manifest

test.before(async () => {
  const source = join(work, 'source')
  mkdirSync(source)
  for (const name of ['src', 'package.json', 'tsconfig.json', 'tsconfig.build.json', 'tsconfig.cjs.json', 'README.md', 'LICENSE', 'CHANGELOG.md']) {
    cpSync(join(root, name), join(source, name), { recursive: true })
  }
  symlinkSync(join(root, 'node_modules'), join(source, 'node_modules'))
  await run('npm', ['run', 'build'], { cwd: source })
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', work], { cwd: source })
  tarball = join(work, readdirSync(work).find((name) => name.endsWith('.tgz'))!)
})

test.after.always(() => rmSync(work, { recursive: true, force: true }))

/** A project that has the packed package installed, with its own dependencies, `koa`, and nothing else but `extra`. */
async function install(name: string, extra: string[] = []): Promise<string> {
  const project = join(work, name)
  const modules = join(project, 'node_modules')
  const target = join(modules, 'koa-keepsake')
  mkdirSync(target, { recursive: true })
  await run('tar', ['-xzf', tarball, '-C', target, '--strip-components=1'])
  for (const dependency of [...Object.keys(manifest.dependencies), 'koa', ...extra]) {
    mkdirSync(dirname(join(modules, dependency)), { recursive: true })
    symlinkSync(join(root, 'node_modules', dependency), join(modules, dependency))
  }
  writeFileSync(join(project, 'package.json'), '{"private":true}')
  return project
}

async function runs(t: ExecutionContext, project: string, file: string, text: string, args: string[] = []): Promise<string> {
  writeFileSync(join(project, file), text)
  const { stdout, stderr } = await run(process.execPath, [...args, file], { cwd: project })
  t.is(stderr.replace(/^\(node:\d+\) ExperimentalWarning.*\n.*\n/m, ''), '')
  return stdout.trim()
}

const app = `
const app = new Koa()
app.keys = ['a secret of more than thirty-two characters']
app.use(session({ store: memoryStore() }))
app.use((ctx) => { ctx.session.user = 'momo'; ctx.body = 'set' })
const server = app.listen(0, '127.0.0.1', async () => {
  const { status, headers } = await fetch('http://127.0.0.1:' + server.address().port)
  console.log(status, headers.getSetCookie().length)
  server.close()
})
`

test('the tarball imports as an ES module and keeps sessions', async (t) => {
  const project = await install('esm')
  const text = `import Koa from 'koa'\nimport { session, memoryStore } from 'koa-keepsake'\n${app}`
  t.is(await runs(t, project, 'app.mjs', text), '200 1')
})

test('the tarball is had by require()', async (t) => {
  const project = await install('cjs')
  const text = `const Koa = require('koa')\nconst { session, memoryStore } = require('koa-keepsake')\n${app.replace('new Koa', 'new (Koa.default ?? Koa)')}`
  t.is(await runs(t, project, 'app.cjs', text), '200 1')
})

test('the ES module and the CommonJS build share one application: one accessor, errors that are instances of both classes', async (t) => {
  const project = await install('both')
  const text = `
    import { createRequire } from 'node:module'
    import Koa from 'koa'
    import * as esm from 'koa-keepsake'
    const cjs = createRequire(import.meta.url)('koa-keepsake')
    const app = new Koa()
    app.keys = ['a secret of more than thirty-two characters']
    app.silent = true
    const parts = [esm.session({ store: esm.memoryStore() }), cjs.session({ store: cjs.memoryStore(), name: 'other' })]
    app.use((ctx, next) => parts[ctx.path === '/cjs' ? 1 : 0](ctx, next))
    app.use((ctx) => { ctx.session.user = 'momo'; ctx.body = 'set' })
    const server = app.listen(0, '127.0.0.1', async () => {
      for (const path of ['/', '/cjs', '/']) {
        const { status, headers } = await fetch('http://127.0.0.1:' + server.address().port + path)
        console.log(status, headers.getSetCookie().length)
      }
      console.log(esm.session !== cjs.session, new cjs.SessionError('ERR_SESSION_STORE', '') instanceof esm.SessionError, new Error('') instanceof esm.SessionError)
      server.close()
    })`
  t.is(await runs(t, project, 'both.mjs', text), '200 1\n200 1\n200 1\ntrue true false')
})

test('esbuild bundles it to CommonJS, and the bundle keeps sessions and opens stores by URL', async (t) => {
  const project = await install('bundle')
  const text = `import Koa from 'koa'\nimport { session, storeFromUrl, memoryStore } from 'koa-keepsake'\nstoreFromUrl('memory:')\n${app}`
  writeFileSync(join(project, 'app.mjs'), text)
  await run(bin('esbuild'), ['app.mjs', '--bundle', '--platform=node', '--format=cjs', '--outfile=bundle.cjs', '--log-level=error'], { cwd: project })
  t.is((await run(process.execPath, ['bundle.cjs'], { cwd: project })).stdout.trim(), '200 1')
})

test('every entry of exports is there, and only they are', async (t) => {
  const project = await install('entries')
  for (const entry of Object.keys(manifest.exports)) {
    const name = `koa-keepsake${entry.slice(1)}`
    const attributes = entry.endsWith('.json') ? ", { with: { type: 'json' } }" : ''
    const text = `const module = await import('${name}'${attributes})\nconsole.log(Object.keys(module).length > 0)`
    t.is(await runs(t, project, 'entry.mjs', text), 'true', name)
    t.is(await runs(t, project, 'entry.cjs', `console.log(Object.keys(require('${name}')).length > 0)`), 'true', name)
  }
  const inner = "await import('koa-keepsake/dist/middleware.js').catch((error) => console.log(error.code))"
  t.is(await runs(t, project, 'inner.mjs', inner), 'ERR_PACKAGE_PATH_NOT_EXPORTED')
})

// An optional peer dependency blocks the installation beside another version of the driver: an application's own redis 3, say.
test('no driver is a dependency or a peer dependency', (t) => {
  t.deepEqual(Object.keys(manifest.peerDependencies).toSorted(), ['@types/koa', 'koa'])
  t.deepEqual(Object.keys(manifest.dependencies).toSorted(), ['keygrip', 'on-headers', 'proper-lockfile'])
})

test('importing the root loads no driver, though all are installed, and nothing but what it declares', async (t) => {
  const drivers = ['redis', 'ioredis', 'knex', 'pg', 'mysql2', 'better-sqlite3', 'mongodb', 'memcache-client', '@msgpack/msgpack']
  const project = await install('drivers', drivers)
  const hooks = `
    import { writeSync } from 'node:fs'
    export async function load(url, context, next) { writeSync(1, url + '\\n'); return next(url, context) }`
  writeFileSync(join(project, 'hooks.mjs'), hooks)
  writeFileSync(join(project, 'register.mjs'), "import { register } from 'node:module'\nregister('./hooks.mjs', import.meta.url)")
  const text = `
    await import('koa-keepsake')
    const { createRequire } = await import('node:module')
    for (const path of Object.keys(createRequire(import.meta.url).cache)) console.log(path)`
  const loaded = await runs(t, project, 'load.mjs', text, ['--import', './register.mjs'])
  const packages = new Set(loaded.split('\n').filter((line) => line.includes('node_modules/')).map((line) => /.*node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(line)![1]!))
  t.true(packages.has('koa-keepsake') && packages.has('keygrip'), loaded)
  for (const name of ['koa', '@types', ...drivers]) t.false(packages.has(name), name)
  // What proper-lockfile and keygrip themselves need.
  const allowed = new Set(['koa-keepsake', ...Object.keys(manifest.dependencies), 'tsscmp', 'graceful-fs', 'retry', 'signal-exit'])
  t.deepEqual([...packages].filter((name) => !allowed.has(name)), [])
})

test('a TypeScript user compiles against it, strictly and with the declarations checked', async (t) => {
  const project = await install('typescript', ['@types', 'typescript', 'undici-types'])
  const text = `
    import Koa from 'koa'
    import { cookieStore, fileStore, memoryStore, session, SessionError, type SessionOptions, type SessionStore } from 'koa-keepsake'
    declare module 'koa-keepsake' { interface SessionData { user?: string; visits?: number } }
    const options: SessionOptions = { store: memoryStore(), lifetime: 1000 }
    const store: SessionStore = fileStore({ dir: 'x' })
    const app = new Koa()
    app.use(session(options))
    app.use(session({ store: cookieStore() }))
    app.use((ctx) => {
      const user: string | undefined = ctx.session.user
      ctx.session.change('visits', (n = 0) => n + 1)
      // @ts-expect-error -- a string
      ctx.session.user = 1
      ctx.body = user
    })
    export const isOurs = (error: unknown): boolean => error instanceof SessionError && error.code === 'ERR_SESSION_STORE'
    export default store
    `
  for (const [name, type] of [['user.mts', 'nodenext'], ['user.cts', 'nodenext'], ['bundled.ts', 'preserve'], ['common.ts', 'commonjs']] as const) {
    writeFileSync(join(project, name), text)
    const options = {
      target: 'es2023', lib: ['es2023'], module: type, moduleResolution: type === 'nodenext' ? 'nodenext' : 'bundler', strict: true, noEmit: true,
      skipLibCheck: false, types: ['node'], exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true
    }
    writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions: options, files: [name] }))
    const output = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', project]).then(({ stdout }) => stdout, (error: { stdout: string }) => error.stdout)
    // What other packages' declarations say is not ours to answer for.
    t.deepEqual(output.split('\n').filter((line) => line.includes('koa-keepsake') || /^(user|bundled|common)/.test(line)), [], output)
  }
})

test('the tarball holds the built package and its papers, and neither sources nor tests', async (t) => {
  const { stdout } = await run('tar', ['-tzf', tarball])
  const names = stdout.trim().split('\n').map((name) => name.replace('package/', ''))
  for (const name of ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md', 'dist/index.js', 'dist/index.d.ts', 'dist/testing/index.js', 'dist/store/index.js', 'dist/migrating/index.js', 'dist/testing/index.d.ts']) {
    t.true(names.includes(name), name)
  }
  t.deepEqual(names.filter((name) => !name.startsWith('dist/') && !/^[A-Z]+(\.md)?$|^package\.json$/.test(name)), [])
  t.deepEqual(names.filter((name) => name.startsWith('dist/') && !/\.(js|d\.ts)$/.test(name) && name !== 'dist/cjs/package.json'), [])
})

test('publint finds nothing to say', async (t) => {
  const { stdout } = await run(bin('publint'), ['run', tarball, '--strict'], { cwd: root })
  t.regex(stdout, /All good/)
})

test('are the types wrong? No, in every way a module can be resolved', async (t) => {
  const { stdout } = await run(bin('attw'), [tarball, '--profile', 'node16', '--no-definitely-typed', '--format', 'json'], { cwd: root })
  const { analysis } = JSON.parse(stdout) as { analysis: { problems: { kind: string; resolutionKind?: string }[] } }
  // TypeScript before 4.7 does not know exports.
  const problems = analysis.problems.filter(({ resolutionKind }) => resolutionKind !== 'node10')
  t.deepEqual(problems, [])
})
