import test, { type ExecutionContext } from 'ava'
import { execFile } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { install, moduleFile, runs } from '../support/packed.js'

const run = promisify(execFile)

const using = `
import { cookieStore, fileStore, memoryStore, session, SessionError, type SessionOptions, type SessionStore } from 'koa-keepsake'
import { createStore } from 'koa-keepsake/store'
import { sessionCookie, storeConformance } from 'koa-keepsake/testing'
import { fromKoaSession } from 'koa-keepsake/migrating'
declare module 'koa-keepsake' { interface SessionData { user?: string; visits?: number } }
const options: SessionOptions = { store: memoryStore(), lifetime: 3_600_000 }
const store: SessionStore = fileStore({ dir: 'x' })
const app = new Koa()
app.keys = ['a secret of more than thirty-two characters']
app.use(session(options))
app.use((ctx) => {
  ctx.session.change('visits', (n = 0) => n + 1)
  ctx.session.user = 'momo'
  const user: string | undefined = ctx.session.user
  // @ts-expect-error -- a string
  const wrong: number = ctx.session.user
  ctx.body = [user, wrong]
})
export const isOurs = (error: unknown): boolean => error instanceof SessionError && error.code === 'ERR_SESSION_STORE'
export const others = [cookieStore, createStore, sessionCookie, storeConformance, fromKoaSession, store]
const server = app.listen(0, '127.0.0.1', async () => {
  const { port } = server.address() as { port: number }
  const { status, headers } = await fetch('http://127.0.0.1:' + port)
  console.log(status, headers.getSetCookie().length)
  server.close()
})
`
/** Koa's declarations are those of a CommonJS module. */
const importing = `import Koa from 'koa'${using}`
const requiring = `import Koa = require('koa')${using}`

interface Way {
  readonly module: string
  readonly moduleResolution: string
  readonly file: string
  readonly text?: string
  /** Checks the package's declarations too, and not only how they are used. */
  readonly isThorough?: boolean
}

const modern: readonly Way[] = [
  { module: 'nodenext', moduleResolution: 'nodenext', file: 'next.mts', isThorough: true },
  { module: 'nodenext', moduleResolution: 'nodenext', file: 'next.cts', text: requiring },
  { module: 'node16', moduleResolution: 'node16', file: 'sixteen.mts' },
  { module: 'node16', moduleResolution: 'node16', file: 'sixteen.cts', text: requiring },
  { module: 'esnext', moduleResolution: 'bundler', file: 'bundled.ts' },
  { module: 'preserve', moduleResolution: 'bundler', file: 'preserved.ts' }
]
const node10: Way = { module: 'commonjs', moduleResolution: 'node10', file: 'common.ts' }
/** TypeScript 6 deprecates node10, and 7 does not have it. */
const bundlerCommon: Way = { module: 'commonjs', moduleResolution: 'bundler', file: 'common.ts' }

const compilers = [
  ['TypeScript 5.4', 'typescript5.4', [node10, ...modern]],
  ['TypeScript 5.9', 'typescript5.9', [node10, ...modern]],
  ['TypeScript 6', 'typescript6', [node10, bundlerCommon, ...modern]],
  ['TypeScript 7', 'typescript', [bundlerCommon, ...modern]]
] as const

const koas = [
  { version: '3', modules: ['koa', '@types'] },
  { version: '2.16', modules: [['koa', 'koa2'], ['@types/koa', 'types-koa2'], ['@types/node', '@types/node']] }
] as const

for (const [compiler, name, ways] of compilers) {
  test.serial(`${compiler} compiles applications of koa 3 and of koa 2.16, strictly, for each kind of modules that it knows, and the results run`, async (t) => {
    const projects = await Promise.all(koas.map(async ({ version, modules }) => {
      const project = await install(t, [...modules, 'undici-types'])
      // The two have the same modules: a few ways show that the declarations of the older one are found.
      const chosen = version === '3' ? ways : ways.filter(({ file }) => /^(common|next|bundled)/.test(file))
      return { project, chosen, dirs: chosen.map((way, at) => writeProject(project, name, way, at)) }
    }))
    // One process for all of them, because it parses TypeScript's own declarations once.
    const compile = run(process.execPath, [moduleFile(`${name}/bin/tsc`), '-b', ...projects.flatMap(({ dirs }) => dirs)])
    const output = await compile.then(({ stdout }) => stdout, (error: { stdout: string }) => error.stdout)
    // Errors in the declarations of other packages are not ours.
    t.deepEqual(output.split('\n').filter((line) => line.includes('koa-keepsake') || /\bway\d/.test(line)), [], output)
    t.false(/error TS(5|6)\d+/.test(output), output)
    for (const { project, chosen } of projects) await assertRuns(t, project, chosen)
  })
}

/** Writes the files of a way. Returns their folder. */
function writeProject(project: string, compiler: string, { module, moduleResolution, file, text = importing, isThorough = false }: Way, at: number): string {
  const dir = path.join(project, `way${at}`)
  const compilerOptions = {
    target: 'es2022', lib: ['es2023'], module, moduleResolution, strict: true, esModuleInterop: true, skipLibCheck: !isThorough, types: ['node'], outDir: 'out',
    exactOptionalPropertyTypes: true, noUncheckedIndexedAccess: true, rootDir: '.',
    ...(compiler === 'typescript6' && moduleResolution === 'node10' && { ignoreDeprecations: '6.0' })
  }
  mkdirSync(dir)
  writeFileSync(path.join(dir, file), text)
  writeFileSync(path.join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: [file] }))
  return dir
}

/** Runs what Node can run as it is. */
async function assertRuns(t: ExecutionContext, project: string, ways: readonly Way[]): Promise<void> {
  const outputs = ways.flatMap(({ module, file }, at) => (module === 'commonjs' || file.startsWith('next') ? [path.join(`way${at}`, 'out', file.replace(/ts$/, 'js'))] : []))
  t.true(outputs.length > 2)
  for (const output of outputs) t.is(await runs(t, project, output), '200 1', output)
}
