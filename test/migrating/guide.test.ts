import { execFile } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import test from 'ava'
import type { Context } from 'koa'
import { SessionOptions as koaSessionOptions } from 'koa-session'
import { memoryStore, session } from '../../src/index.js'
import * as migrating from '../../src/migrating/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { watchStore } from '../support/store.js'
import { createApp, createClock, day, minute, routesOf } from '../support/story.js'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../../', import.meta.url))
const guide = readFileSync(join(root, 'docs/migrating.md'), 'utf8')

interface Snippet {
  readonly line: number
  readonly code: string
}

/** The code of the guide. Of a difference, the new side. */
function snippetsOf(text: string): Snippet[] {
  return [...text.matchAll(/^```(js|ts|diff)\n([\s\S]*?)^```$/gm)].map(({ 1: language, 2: body, index }) => ({
    line: text.slice(0, index).split('\n').length + 1,
    code: language === 'diff' ? body!.split('\n').filter((line) => !line.startsWith('-')).map((line) => line.slice(1)).join('\n') : body!
  }))
}

/** What the snippets take for granted. */
const ambient = `
import type Koa from 'koa'
import type { SessionStore } from 'koa-keepsake'
declare global {
  var app: Koa
  var store: SessionStore
  var user: { id: string }
  var origin: string
  var log: (id: string) => void
  var oldSessions: { find(sid: string): Promise<{ theme: string; userId: string } | undefined>; remove(sid: string): Promise<void> }
}
`

test('every piece of code in the guide compiles', async (t) => {
  const snippets = snippetsOf(guide)
  t.true(snippets.length > 10)
  // Below the repository, so that its packages are found.
  const parent = join(root, 'node_modules/.cache')
  await mkdir(parent, { recursive: true })
  const dir = await mkdtemp(join(parent, 'keepsake-guide-'))
  t.teardown(() => rm(dir, { recursive: true, force: true }))
  await writeFile(join(dir, 'ambient.ts'), ambient)
  for (const { line, code } of snippets) await writeFile(join(dir, `line-${line}.ts`), `${code}\nexport {}\n`)
  const paths = Object.fromEntries(['', '/migrating', '/store', '/testing'].map((entry) => [`koa-keepsake${entry}`, [join(root, `src${entry}/index.ts`)]]))
  const compilerOptions = { strict: false, exactOptionalPropertyTypes: false, noPropertyAccessFromIndexSignature: false, noImplicitReturns: false, noUnusedLocals: false, allowImportingTsExtensions: true, paths }
  await writeFile(join(dir, 'package.json'), '{"type":"module"}')
  // The declaration of SessionData is for all of a program: it is compiled alone.
  const alone = snippets.filter(({ code }) => code.includes('declare module'))
  const files = ['ambient.ts', ...snippets.filter((each) => !alone.includes(each)).map(({ line }) => `line-${line}.ts`)]
  for (const included of [files, ...alone.map(({ line }) => ['ambient.ts', `line-${line}.ts`])]) {
    await writeFile(join(dir, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), compilerOptions, files: included, include: [] }))
    const output = await run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', dir], { cwd: root }).then(({ stdout }) => stdout, (error: { stdout: string }) => error.stdout)
    t.deepEqual(output.split('\n').filter((line) => /line-\d|ambient|tsconfig/.test(line)), [], output)
  }
})

test('a middleware can replace valid and beforeSave', async (t) => {
  const { code } = snippetsOf(guide).find((snippet) => snippet.code.includes('was: beforeSave'))!
  const app = createApp()
  // oxlint-disable-next-line typescript/no-implied-eval -- the code of the guide itself
  const mount = new Function('app', 'session', code.replace(/^import .*$/m, '')) as (...given: unknown[]) => void
  mount(app, () => session({ store: memoryStore() }))
  const routes = {
    '/': (ctx: Context) => ({ ...(ctx.session as object) }),
    '/set': (ctx: Context) => void (ctx.session['user'] = 'momo'),
    '/out': (ctx: Context) => void (ctx.session = null)
  }
  app.use(routesOf(routes))
  const client = new Client(await startApp(t, app))
  await client.get('/set')
  t.deepEqual((await client.get('/')).json, { user: 'momo', version: 2 })
  await client.get('/out')
  t.deepEqual((await client.get('/')).json, {})
  t.deepEqual(client.cookies, [])
})

const answer = (ctx: Context) => ({ user: ctx.session.get('user') ?? null })

test('a middleware can replace session.cookie, touch() and manuallyCommit()', async (t) => {
  const { code } = snippetsOf(guide).find((snippet) => snippet.code.includes('and manuallyCommit()'))!
  const [time, store] = [createClock(), watchStore(memoryStore())]
  const app = createApp()
  // oxlint-disable-next-line typescript/no-implied-eval -- the code of the guide itself
  const mount = new Function('app', 'session', code.replace(/^import .*$/m, '')) as (...given: unknown[]) => void
  mount(app, (options: object) => session({ ...options, store, now: time.now }))
  app.use(routesOf({ '/': answer, '/poll': answer, '/events': answer, '/set': (ctx) => ctx.session.set('user', 'momo'), '/remember': () => 'fine' }))
  const client = new Client(await startApp(t, app), { now: time.now })
  await client.get('/set')
  const other = client.copy()
  time.pass(50 * minute)
  t.deepEqual((await other.get('/poll')).json, { user: 'momo' })
  time.pass(11 * minute)
  t.deepEqual((await other.get('/')).json, { user: null }, 'the request that polls has not moved the deadline')
  await client.get('/set')
  t.deepEqual((await client.get('/events')).json, { user: 'momo' })
  await client.get('/remember')
  time.pass(29 * day)
  t.deepEqual((await client.get('/')).json, { user: 'momo' })
})

/** The options of the old libraries. koa-session's are read from the library; the others list them in their README. */
const oldOptions: { [library: string]: readonly string[] } = {
  'koa-session': Object.keys(koaSessionOptions.shape),
  'koa-generic-session': ['key', 'store', 'ttl', 'prefix', 'cookie', 'defer', 'rolling', 'allowEmpty', 'genSid', 'errorHandler', 'valid', 'beforeSave', 'sessionIdStore', 'reconnectTimeout'],
  'koa-session-minimal': ['key', 'store', 'cookie'],
  'express-session': ['cookie', 'genid', 'name', 'proxy', 'resave', 'rolling', 'saveUninitialized', 'secret', 'store', 'unset']
}

for (const [library, names] of Object.entries(oldOptions)) {
  test(`the guide has each option of ${library}, and session() says what to write instead of those that it does not know`, (t) => {
    const section = guide.slice(guide.indexOf(`## From ${library}\n`))
    const here = section.slice(0, section.indexOf('\n## ', 3))
    for (const name of names) {
      t.regex(here, new RegExp(`\`${name}\\b`), name)
      if (isOption(name)) continue
      t.throws(() => session({ store: memoryStore(), [name]: 1 }), { message: new RegExp(`"${name}" (is|has)`) }, name)
    }
  })
}

function isOption(name: string): boolean {
  return ['store', 'cookie', 'name', 'prefix', 'signed'].includes(name)
}

test('the guide names each option of each bridge', (t) => {
  const bridges = Object.entries(migrating).filter(([name]) => name.startsWith('from'))
  t.is(bridges.length, 5)
  for (const [name, bridge] of bridges) {
    const error = t.throws(() => (bridge as (options: object) => unknown)({ nothing: 1 }))
    const known = /known are (.+)$/.exec(error.message)![1]!.split(', ')
    t.true(guide.includes(`\`${name}`), name)
    for (const option of known) t.regex(guide, new RegExp(`\`${option}\`|\\b${option}:`), `${name}: ${option}`)
  }
})

test('the guide links to files and headings that are there', (t) => {
  const headings = new Set([...guide.matchAll(/^#+ (.+)$/gm)].map(([, heading]) => `#${heading!.toLowerCase().replaceAll(' ', '-')}`))
  for (const [, link] of guide.matchAll(/\]\(([^)]+)\)/g)) {
    if (link!.startsWith('#')) t.true(headings.has(link!), link)
    else t.true(existsSync(new URL(link!.replace(/#.*/, ''), `file://${root}docs/`)), link)
  }
})
