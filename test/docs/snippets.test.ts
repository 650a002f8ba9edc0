import test, { type ExecutionContext } from 'ava'
import { execFile } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import type Koa from 'koa'
import type { SessionStore } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { needsRedis, startRedis } from '../support/redis.js'
import { moduleOf, root, snippetsOf, uses, type Snippet } from './snippets.js'

// Every snippet of these pages compiles under `strict`, as a reader's own file, and runs.

const pages = [
  'README.md', 'docs/options-and-members.md', 'docs/how-it-works.md', 'docs/file-format.md', 'docs/failures.md', 'docs/security.md', 'docs/sealing.md', 'docs/benchmarks.md',
  'docs/stores/file.md', 'docs/stores/memory.md', 'docs/stores/cookie.md', 'docs/stores/redis.md'
]
const snippets = pages.flatMap((page) => snippetsOf(page))

/** The directory of an application that has installed the package. Sessions in files are kept there. */
const project = mkdtempSync(join(tmpdir(), 'keepsake-docs-'))
const modules = fileURLToPath(new URL('node_modules', root))
symlinkSync(modules, join(project, 'node_modules'))
writeFileSync(join(project, 'package.json'), '{"type":"module"}')
process.chdir(project)
process.env['SECRET_KEY'] = 'a secret of more than thirty-two characters'
test.after.always(() => rmSync(project, { recursive: true, force: true }))

const source = (path: string): string => fileURLToPath(new URL(`src/${path}`, root))

test('every snippet compiles under strict', async (t) => {
  // A snippet that declares the data of sessions declares it for every file that is compiled with it.
  const apart = snippets.filter(({ code }) => code.includes('interface SessionData'))
  const together = snippets.filter((snippet) => !apart.includes(snippet))
  t.true(apart.length > 0 && together.length > 10)
  for (const [at, group] of [together, ...apart.map((snippet) => [snippet])].entries()) t.is(await compile(`group-${at}`, group), '')
})

async function compile(name: string, group: readonly Snippet[]): Promise<string> {
  const dir = join(project, name)
  mkdirSync(dir)
  for (const snippet of group) writeFileSync(join(dir, fileNameOf(snippet)), moduleOf(snippet))
  const compilerOptions = {
    strict: true, noEmit: true, target: 'es2023', lib: ['es2023'], module: 'nodenext', types: ['node'], skipLibCheck: true,
    paths: { 'koa-keepsake': [source('index.ts')], 'koa-keepsake/store': [source('store/index.ts')], 'koa-keepsake/testing': [source('testing/index.ts')] }
  }
  writeFileSync(join(dir, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['.'] }))
  const compiler = promisify(execFile)(process.execPath, [join(modules, 'typescript/bin/tsc'), '-p', dir])
  return compiler.then(({ stdout }) => stdout, (error: { stdout: string }) => error.stdout)
}

const redisTest = needsRedis(test)

for (const snippet of snippets) {
  // It stands for lines in a handler.
  if (uses(snippet.code, 'ctx')) continue
  const isApp = /app\.use\(session\(|router\./.test(snippet.code)
  const run = snippet.title.includes('redis') ? redisTest.serial : test.serial
  run(`${snippet.title} ${isApp ? 'is an application that keeps sessions' : 'runs'}`, async (t) => {
    const redis = snippet.title.includes('redis') ? await startRedis() : undefined
    t.teardown(() => redis?.stop())
    if (redis) process.env['REDIS_URL'] = redis.url
    const app = await load(t, snippet, redis?.url)
    if (!isApp) {
      t.pass()
      return
    }
    app!.use((ctx) => {
      ctx.body = String(ctx.session['visits'])
      ctx.session['visits'] = 2
    })
    const client = clientOf(await startApp(t, app!))
    const first = await client.get('/')
    // A client of the snippet with a carrier sends back the token of the header.
    const token = first.headers['x-session']
    const second = await client.get('/', { headers: token === undefined ? {} : { 'x-session': token } })
    t.deepEqual([first.status, second.status], [200, 200], second.text)
    t.regex(second.text, /2$/)
  })
}

test.serial('the login of the README logs in and out', async (t) => {
  const login = snippetsOf('README.md').find(({ code }) => code.includes('loginAs'))!
  const app = await load(t, { ...login, title: `${login.title}, again` })
  const client = clientOf(await startApp(t, app!))
  t.is((await client.post('/login', { name: 'lin' })).status, 401)
  t.is((await client.post('/login', { name: 'momo' })).status, 204)
  t.deepEqual((await client.get('/me')).json, { user: '17' })
  t.is((await client.post('/logout')).status, 204)
  t.deepEqual((await client.get('/me')).json, { user: 'nobody' })
})

/** What a snippet may make. */
interface Made {
  readonly app?: Koa
  /** A client of one of the two drivers for Redis. */
  readonly client?: { destroy?(): void; disconnect?(): void }
  readonly store?: SessionStore
}

/** Runs a snippet. Answers the application that it makes. */
async function load(t: ExecutionContext, snippet: Snippet, redisUrl = ''): Promise<Koa | undefined> {
  const file = join(project, fileNameOf(snippet))
  writeFileSync(file, moduleOf(snippet).replace('redis://user:secret@127.0.0.1:6379/0', redisUrl))
  const { app, client, store } = (await import(pathToFileURL(file).href)) as Made
  t.teardown(async () => {
    if (client?.destroy) client.destroy()
    else client?.disconnect?.()
    await store?.close?.()
  })
  return app
}

/** A browser, for cookies of every kind that the pages set. */
function clientOf(origin: string): Client {
  return new Client(origin, { host: 'example.com', https: true })
}

function fileNameOf({ title }: Snippet): string {
  return `${title.replace(/\W+/g, '-')}.ts`
}
