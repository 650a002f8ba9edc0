import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import test, { type ExecutionContext } from 'ava'
import { WebSocket } from 'ws'
import type { SessionRegistry } from '../../src/index.js'
import { Client } from '../support/client.js'
import { idOf } from '../support/events.js'
import { createGate } from '../support/gate.js'
import { readPage, root, snippetsOf } from './snippets.js'

// The snippets of docs/owners.md are one application, which compiles under `strict` and is used here.

const page = 'docs/owners.md'

/** What the page takes for granted. */
const givens = `
import { createServer } from 'node:http'
import { bodyParser } from '@koa/bodyparser'
import { Router } from '@koa/router'
import Koa from 'koa'
import { WebSocketServer } from 'ws'
import { fileStore, session } from 'koa-keepsake'

interface User { readonly id: string; readonly password: string; readonly passwordVersion: number }

/** A table of users in which everybody has the password of the form that changed it. */
class Users {
  readonly #rows = new Map<string, User>()
  /** What the next check of a password waits for, after it has read its row. */
  checking: Promise<void> | undefined
  async check(form: unknown): Promise<User | undefined> {
    const { id, password } = form as { id: string; password: string }
    const row = this.#rows.get(id) ?? { id, password: 'open sesame', passwordVersion: 1 }
    const { checking } = this
    this.checking = undefined
    await checking
    return row.password === password ? row : undefined
  }
  async changePassword(id: string, form: unknown): Promise<User | undefined> {
    const { password } = form as { password: string }
    const next = { id, password, passwordVersion: (await this.passwordVersion(id)) + 1 }
    this.#rows.set(id, next)
    return next
  }
  async resetPassword(form: unknown): Promise<User | undefined> {
    return this.changePassword((form as { id: string }).id, form)
  }
  async passwordVersion(id: string): Promise<number> {
    return this.#rows.get(id)?.passwordVersion ?? 1
  }
}
export const users = new Users()
const app = new Koa()
const router = new Router()
`
const snippets = snippetsOf(page)
const check = snippets.find(({ code }) => code.startsWith('router.use('))!
// A router runs its middleware in the order in which it got it.
const [first, ...others] = snippets.filter((snippet) => snippet !== check)
const applicationCode = [givens, first!.code, check.code, ...others.map(({ code }) => code), 'export { app, oneEach, server, sessions, sockets }'].join('\n')

const project = mkdtempSync(join(tmpdir(), 'keepsake-owners-'))
const modules = fileURLToPath(new URL('node_modules', root))
symlinkSync(modules, join(project, 'node_modules'))
writeFileSync(join(project, 'package.json'), '{"type":"module"}')
writeFileSync(join(project, 'application.ts'), applicationCode)
process.chdir(project)
process.env['SECRET_KEY'] = 'a secret of more than thirty-two characters'
test.after.always(() => rmSync(project, { recursive: true, force: true }))

test('its code compiles under strict', async (t) => {
  const compilerOptions = {
    strict: true, noEmit: true, target: 'es2023', lib: ['es2023'], module: 'nodenext', types: ['node'], skipLibCheck: true, paths: { 'koa-keepsake': [fileURLToPath(new URL('src/index.ts', root))] }
  }
  writeFileSync(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['application.ts'] }))
  const compiler = promisify(execFile)(process.execPath, [join(modules, 'typescript/bin/tsc'), '-p', project])
  t.is(await compiler.then(({ stdout }) => stdout, (error: { stdout: string }) => error.stdout), '')
})

test('the page of devices has at most twenty lines, and the check of the password five', (t) => {
  const devices = snippets.find(({ code }) => code.includes("'/devices/end-others'"))!
  t.true(devices.code.trimEnd().split('\n').length <= 20)
  t.is(check.code.trimEnd().split('\n').length, 5)
})

test.serial('a user sees the own devices, ends one of them, and then all others', async (t) => {
  const { login } = await start(t)
  const [phone, desk, tablet, other] = [await login('momo', 'phone'), await login('momo', 'desk'), await login('momo', 'tablet'), await login('lin', 'laptop')]
  t.deepEqual(await devicesOf(desk), ['desk', 'phone', 'tablet'])
  t.is(((await desk.get('/devices')).json as { device: string; isThisOne: boolean }[]).find(({ isThisOne }) => isThisOne)?.device, 'desk')
  await desk.post('/devices/end', { id: idOf(phone.cookie('session')!) })
  await desk.post('/devices/end', { id: idOf(other.cookie('session')!) })
  await desk.post('/devices/end', { id: '../../etc' })
  t.deepEqual(await devicesOf(desk), ['desk', 'tablet'])
  t.deepEqual(await devicesOf(other), ['laptop'])
  await desk.post('/devices/end-others')
  t.deepEqual(await devicesOf(desk), ['desk'])
  for (const browser of [phone, tablet]) t.is((await browser.get('/devices')).headers.location, '/login')
})

test.serial('a change and a reset of the password end the sessions of the user', async (t) => {
  const { login, visit } = await start(t)
  const [phone, desk, other] = [await login('kim', 'phone'), await login('kim', 'desk'), await login('lea', 'laptop')]
  const before = desk.copy()
  t.is((await desk.post('/password', { password: 'second' })).status, 204)
  t.is((await desk.get('/devices')).status, 200)
  for (const browser of [phone, before]) t.is((await browser.get('/devices')).status, 302)
  t.is((await visit().post('/reset', { id: 'kim', password: 'third' })).status, 204)
  t.is((await desk.get('/devices')).status, 302)
  t.is((await other.get('/devices')).status, 200)
  t.is((await visit().post('/password', { password: 'x' })).status, 401)
})

test.serial('a login that has checked the old password before a change, and is stored after it, is worth nothing', async (t) => {
  const { users, visit } = await start(t)
  const gate = createGate()
  users.checking = gate.pass()
  const late = visit()
  const login = late.post('/login', { id: 'bea', password: 'open sesame' })
  while (users.checking !== undefined) await new Promise(setImmediate)
  t.is((await visit().post('/reset', { id: 'bea', password: 'second' })).status, 204)
  gate.open()
  t.is((await login).status, 302)
  t.is((await late.get('/devices')).headers.location, '/login')
})

test.serial('an administrator sees all sessions and ends those of a user', async (t) => {
  const { login } = await start(t)
  const [admin, user] = [await login('admin', 'desk'), await login('zoe', 'phone')]
  t.is((await user.get('/admin/sessions')).status, 403)
  const owners = new Set(((await admin.get('/admin/sessions')).json as { owner: string }[]).map(({ owner }) => owner))
  t.true(owners.has('zoe') && owners.has('admin'))
  t.deepEqual((await admin.post('/admin/end', { owner: 'zoe' })).json, { ended: 1 })
  t.is((await user.get('/devices')).status, 302)
})

test.serial('a WebSocket is opened for a user, and for nobody else', async (t) => {
  const { login, visit, origin } = await start(t)
  const open = (browser: Client) =>
    new Promise((resolve) => {
      const socket = new WebSocket(origin.replace('http', 'ws'), { headers: { cookie: browser.cookieHeader('/') } })
      t.teardown(() => socket.close())
      socket.on('error', () => undefined)
      socket.on('message', (data: Buffer) => resolve(data.toString()))
      socket.on('unexpected-response', (_, { statusCode }) => resolve(statusCode))
    })
  t.is(await open(await login('uma', 'phone')), 'Welcome, user uma')
  t.is(await open(visit()), 401)
})

test('the page names every method of the handle', (t) => {
  const registry = readPage('src/registry.ts')
  const body = registry.slice(registry.indexOf('export interface SessionRegistry'), registry.indexOf('export function createRegistry'))
  const names = Array.from(body.matchAll(/^ {2}(\w+)\(/gm), ([, name]) => name!)
  t.true(names.length >= 8, names.join(' '))
  for (const name of names) t.true(readPage(page).includes(`\`sessions.${name}(`), name)
})

async function devicesOf(browser: Client): Promise<string[]> {
  return ((await browser.get('/devices')).json as { device: string }[]).map(({ device }) => device).sort()
}

interface Application {
  readonly server: Server
  readonly sessions: SessionRegistry
  readonly users: { checking: Promise<void> | undefined }
}

let started: Promise<Application & { origin: string }> | undefined

async function startOnce(): Promise<Application & { origin: string }> {
  const application = (await import(pathToFileURL(join(project, 'application.ts')).href)) as Application
  application.server.listen(0, '127.0.0.1')
  await once(application.server, 'listening')
  return { ...application, origin: `http://127.0.0.1:${(application.server.address() as AddressInfo).port}` }
}

test.after.always(async () => {
  const application = await started
  application?.server.close()
  application?.server.closeAllConnections()
})

/** The application of the page, with browsers. */
async function start(t: ExecutionContext) {
  const { origin, users } = await (started ??= startOnce())
  return {
    origin,
    users,
    visit: () => new Client(origin),
    login: async (id: string, device: string): Promise<Client> => {
      const browser = new Client(origin)
      const { status } = await browser.post('/login', { id, password: 'open sesame' }, { headers: { 'user-agent': device } })
      t.is(status, 302)
      return browser
    }
  }
}
