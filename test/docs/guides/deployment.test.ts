import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { once } from 'node:events'
import { createServer, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import Koa from 'koa'
import test from 'ava'
import { memoryStore, session } from '../../../src/index.js'
import { startApp } from '../../support/app.js'
import { Client } from '../../support/client.js'
import { testGuides, type WithApp } from './guide.js'

const sessions = mkdtempSync(join(tmpdir(), 'keepsake-docker-'))
test.after.always(() => rmSync(sessions, { recursive: true, force: true }))
process.env['SESSION_DIR'] = sessions
process.env['SECRET_KEYS'] = 'a secret of more than thirty-two characters'
process.env['PORT'] = '0'

// It stands in for Next, which is not installed here: it shows only that the calls fit.
const next = `const next = (_: { dev: boolean }) => ({
  prepare: async () => undefined,
  getRequestHandler: () => async (request: IncomingMessage, response: ServerResponse) => {
    response.setHeader('Set-Cookie', 'next=1')
    response.end('page for ' + String((request as { user?: string }).user))
  }
})`

const load = testGuides([
  { page: 'respond-false', exports: ['app', 'answerBy'], replace: [["import next from 'next'", next], ["ctx.path.startsWith('/api/')", "!ctx.path.startsWith('/page')"], ['app.use(session())', "app.use(session({ permanent: true }))\napp.use((ctx, go) => ctx.path === '/login' ? ctx.session.loginAs('17').then(() => void (ctx.status = 204)) : go())"]] },
  { page: 'docker', exports: ['app', 'server', 'sessions'] },
  { page: 'rotating-keys', exports: ['app', 'keysFrom'] }
])

test("respond-false.md: Next's handler and a proxy answer with the session's cookie beside their own, and the other server does not get it", async (t) => {
  const seen: { cookie: string | undefined; user: unknown; body: string }[] = []
  const upstream = createServer((request, response) => {
    void text(request).then((body) => {
      seen.push({ cookie: request.headers.cookie, user: request.headers['x-user'], body })
      response.writeHead(201, { 'Set-Cookie': 'upstream=1' }).end('from the other server')
    })
  }).listen(0, '127.0.0.1')
  await once(upstream, 'listening')
  t.teardown(() => upstream.close().closeAllConnections())
  process.env['UPSTREAM'] = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`

  const { app } = await load<WithApp>('respond-false')
  const client = new Client(await startApp(t, app))
  const anonymous = await client.get('/page')
  t.deepEqual([anonymous.status, anonymous.text], [200, 'page for undefined'])
  t.deepEqual(anonymous.setCookie.map((line) => line.split('=')[0]), ['next', 'session'])
  await client.get('/login')
  const page = await client.get('/page')
  t.is(page.text, 'page for 17')
  const answer = await client.post('/elsewhere', { tea: 'oolong' })
  t.deepEqual([answer.status, answer.text], [201, 'from the other server'])
  t.deepEqual(answer.setCookie.map((line) => line.split('=')[0]), ['upstream'])
  t.deepEqual(seen, [{ cookie: undefined, user: '17', body: '{"tea":"oolong"}' }])
})

test('respond-false.md: a visitor who closes the connection causes no error', async (t) => {
  const { answerBy } = await load<{ answerBy: (handle: (request: unknown, response: ServerResponse) => unknown) => Koa.Middleware }>('respond-false')
  const app = new Koa()
  const errors: unknown[] = []
  app.on('error', (error) => errors.push(error))
  const ended = new Promise<void>((resolve) => {
    app.use(async (_ctx, go) => {
      await go()
      resolve()
    })
  })
  app.use(answerBy((_request, response) => void response.write('the beginning')))
  const stop = new AbortController()
  const response = await fetch(await startApp(t, app), { signal: stop.signal })
  t.is(response.status, 200)
  stop.abort()
  await ended
  t.deepEqual(errors, [])
})

test('docker.md: the sessions are in the volume, and the health check needs none', async (t) => {
  const { server, sessions: handle } = await load<{ server: Server; sessions: { close(): Promise<void> } }>('docker')
  if (!server.listening) await once(server, 'listening')
  t.teardown(async () => {
    server.close().closeAllConnections()
    await handle.close()
  })
  const client = new Client(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  t.is((await client.get('/health')).text, 'up')
  t.deepEqual(readdirSync(sessions).filter((name) => name.endsWith('.json')), [])
  t.is((await client.get('/')).text, 'visit 1')
  t.is((await client.get('/')).text, 'visit 2')
  t.is(readdirSync(sessions).filter((name) => name.endsWith('.json')).length, 1)
})

test('rotating-keys.md: two servers, one a step ahead of the other, never log the user out; without the first step they do', async (t) => {
  const { keysFrom } = await load<{ keysFrom: (list?: string) => string[] }>('rotating-keys')
  t.deepEqual(keysFrom(' new, old,'), ['new', 'old'])
  const [old, fresh] = ['the old secret of more than thirty-two characters', 'the new secret of more than thirty-two characters']
  const visitsOver = async (steps: readonly [string, string][]) => {
    const store = memoryStore()
    let client = new Client('http://127.0.0.1')
    const visits: number[] = []
    for (const lists of steps) {
      for (const list of lists) {
        const app = new Koa()
        app.use(session({ keys: keysFrom(list), store }))
        app.use((ctx) => void (ctx.body = { visits: ctx.session.increment('visits') }))
        client = client.at(await startApp(t, app))
        visits.push(((await client.get('/')).json as { visits: number }).visits)
      }
    }
    return visits
  }
  const [one, two, three, four] = [old, `${old},${fresh}`, `${fresh},${old}`, fresh]
  // The new server answers, and then one that is a step behind. Before the last step, the user comes while all have the second one.
  t.deepEqual(await visitsOver([[two, one], [three, two], [three, three], [four, three]]), [1, 2, 3, 4, 5, 6, 7, 8])
  t.deepEqual(await visitsOver([[one, three], [one, three]]), [1, 2, 1, 2])
})
