import test, { type ExecutionContext } from 'ava'
import { execFile } from 'node:child_process'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'
import { install, moduleFile } from '../support/packed.js'

const run = promisify(execFile)

/** How long jest may take, in milliseconds. */
const longest = 120_000

const body = `
const { createServer, get } = http
jest.setTimeout(60_000)
test('an application keeps sessions, and a test can start logged in', async () => {
  const app = new Koa()
  app.keys = ['a secret of more than thirty-two characters']
  const store = fileStore({ dir })
  const sessions = session({ store })
  app.use(sessions)
  app.use((ctx) => { ctx.session.increment('visits'); ctx.body = [ctx.session.user ?? null, ctx.session.visits] })
  const server = createServer(app.callback()).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const ask = (cookie) => new Promise((resolve) => {
    get({ host: '127.0.0.1', port: server.address().port, headers: cookie ? { cookie } : {} }, async (response) => {
      let text = ''
      for await (const chunk of response) text += chunk
      resolve({ body: JSON.parse(text), cookie: response.headers['set-cookie']?.[0].split(';')[0] })
    })
  })
  try {
    const first = await ask()
    expect(first.body).toEqual([null, 1])
    expect((await ask(first.cookie)).body).toEqual([null, 2])
    const cookie = await sessionCookie({ user: 'momo' }, { store, keys: app.keys })
    expect((await ask(cookie)).body).toEqual(['momo', 1])
    expect(new SessionError('ERR_SESSION_STORE', '')).toBeInstanceOf(Error)
  } finally {
    await sessions.close()
    await new Promise((resolve) => server.close(resolve))
  }
})
`
const requiring = `const http = require('http')\nconst Koa = require('koa')\nconst { fileStore, session, SessionError } = require('koa-keepsake')\nconst { sessionCookie } = require('koa-keepsake/testing')\nconst dir = 'required'\n${body}`
const importing = `import http from 'http'\nimport { jest } from '@jest/globals'\nimport Koa from 'koa'\nimport { fileStore, session, SessionError } from 'koa-keepsake'\nimport { sessionCookie } from 'koa-keepsake/testing'\nconst dir = 'imported'\n${body}`

async function jest(t: ExecutionContext, project: string, file: string, text: string, options: { config?: object; flags?: string[] } = {}): Promise<void> {
  writeFileSync(path.join(project, file), text)
  writeFileSync(path.join(project, 'jest.config.json'), JSON.stringify({ testEnvironment: 'node', testMatch: [`**/${file}`], ...options.config }))
  const args = [...(options.flags ?? []), moduleFile('jest/bin/jest.js'), '--ci', '--watchman=false', '--detectOpenHandles', '--config=jest.config.json']
  const { stderr } = await run(process.execPath, args, { cwd: project, timeout: longest }).catch((error: { stderr: string }) => error)
  t.regex(stderr, /Tests: +1 passed, 1 total/, stderr)
  t.notRegex(stderr, /open handle|did not exit/, stderr)
}

test('jest runs tests of an application, as CommonJS and as ES modules', async (t) => {
  const project = await install(t, ['koa', 'jest', '@jest'])
  await jest(t, project, 'app.test.cjs', requiring, { config: { moduleFileExtensions: ['js', 'cjs'] } })
  await jest(t, project, 'app.test.mjs', importing, { config: { moduleFileExtensions: ['js', 'mjs'] }, flags: ['--experimental-vm-modules'] })
})

// jest before 28 resolves with resolve@1, which does not know `exports`, and jest before 27 does not know `node:`.
test('jest finds the package without `exports`, and the CommonJS build requires nothing by `node:`', async (t) => {
  const project = await install(t, ['koa', 'jest', '@jest'])
  const resolver = `
    const resolve = require(${JSON.stringify(moduleFile('resolve'))})
    module.exports = (request, options) => request.startsWith('koa-keepsake') ? resolve.sync(request, { basedir: options.basedir }) : options.defaultResolver(request, options)`
  writeFileSync(path.join(project, 'resolver.cjs'), resolver)
  // The other entries have to be named by their files, as they are listed in package.json.
  const moduleNameMapper = { '^koa-keepsake/(.*)$': '<rootDir>/node_modules/koa-keepsake/dist/cjs/$1' }
  await jest(t, project, 'app.test.cjs', requiring, { config: { moduleFileExtensions: ['js', 'cjs'], resolver: '<rootDir>/resolver.cjs', moduleNameMapper } })
  const built = path.join(project, 'node_modules/koa-keepsake/dist/cjs')
  const files = readdirSync(built, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.js'))
  t.true(files.length > 50)
  for (const name of files) t.notRegex(readFileSync(path.join(built, name), 'utf8'), /(require|import)\(["']node:/, name)
})
