import test from 'ava'
import Keygrip from 'keygrip'
import Koa from 'koa'
import { cookieStore, memoryStore, session } from '../../src/index.js'
import { sessionCookie } from '../../src/testing/session-cookie.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { idOf, recordEvents } from '../support/events.js'
import { routes } from '../support/sealed.js'
import { createClock, hour, minute, routesOf, secret, type Options } from '../support/story.js'

// cookieStore({ encrypt: true }): what cookieStore() promises otherwise is in cookie-store.test.ts.

const newer = 'a newer key, also longer than thirty-two characters'
const all = { ...routes, '/big': (ctx: Koa.Context) => ctx.session.set('big', 'x'.repeat(Number(ctx.query['n']))) }

async function start(t: Parameters<typeof startApp>[0], options: Options = {}) {
  const time = createClock()
  const app = new Koa()
  app.keys = [secret]
  const errors: Error[] = []
  app.on('error', (error: Error) => errors.push(error))
  const sessions = session({ store: cookieStore({ encrypt: true }), now: time.now, ...options })
  app.use(sessions)
  app.use(routesOf(all))
  const origin = await startApp(t, app)
  return { app, client: new Client(origin, { now: time.now }), origin, time, errors, sessions }
}

/** What the user of a cookie reads in it without a secret. */
function readable(client: Client): string {
  const value = client.cookie('session')!
  return [value, ...value.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'))].join('\n')
}

test('an encrypted cookie carries the session, and its user can read neither data nor facts', async (t) => {
  const { client, sessions } = await start(t, { keys: [secret] })
  await client.get('/login?user=a-user-of-ours')
  await client.get('/set?key=favourite&value=darjeeling')
  t.deepEqual((await client.get('/get')).json, { favourite: 'darjeeling' })
  t.false(/favourite|darjeeling|a-user-of-ours|expires|"data"/.test(readable(client)))
  t.like(await sessions.read({ headers: { cookie: client.cookieHeader('/') } }), { owner: 'a-user-of-ours', data: { favourite: 'darjeeling' } })
})

test('the same data is encrypted differently each time', async (t) => {
  const { client } = await start(t)
  const payloads = new Set<string>()
  for (let n = 0; n < 5; n++) {
    await client.get('/set?key=cart&value=' + (n % 2 === 0 ? 'tea' : 'jam'))
    payloads.add(client.cookie('session')!.split('.')[1]!.slice(0, 17))
  }
  t.is(payloads.size, 5)
})

test('a cookie that was changed in any part opens no session', async (t) => {
  const { client } = await start(t)
  await client.get('/set?key=cart&value=tea')
  const value = client.cookie('session')!
  for (let at = 0; at < value.length; at += 5) {
    const forged = value.slice(0, at) + (value[at] === 'A' ? 'B' : 'A') + value.slice(at + 1)
    if (forged !== value) t.deepEqual((await client.get('/get', { headers: { cookie: `session=${forged}` } })).json, {}, `at ${at}`)
  }
})

test('a cookie by an older key is read, and comes again encrypted under the newest', async (t) => {
  const one = await start(t)
  const two = await start(t, { keys: [newer, secret] })
  const three = await start(t, { keys: [newer] })
  await one.client.get('/set?key=cart&value=tea')
  const client = one.client.at(two.origin)
  t.is((await client.get('/get')).setCookie.length, 1)
  t.deepEqual((await client.at(three.origin).get('/get')).json, { cart: 'tea' })
})

test('cookies from before encryption are read, and sent again encrypted with the next change or refresh', async (t) => {
  const plain = await start(t, { store: cookieStore(), lifetime: hour })
  await plain.client.get('/set?key=cart&value=darjeeling')
  t.true(readable(plain.client).includes('darjeeling'))
  const encrypted = await start(t, { lifetime: hour })
  const client = plain.client.at(encrypted.origin)
  t.deepEqual((await client.get('/get')).json, { cart: 'darjeeling' })
  encrypted.time.pass(10 * minute)
  t.is((await client.get('/get')).setCookie.length, 1)
  t.false(readable(client).includes('darjeeling'))
  t.deepEqual((await client.get('/get')).json, { cart: 'darjeeling' })
})

test('cookies are read when encryption is turned off again, and by servers that do not encrypt yet', async (t) => {
  const encrypted = await start(t)
  await encrypted.client.get('/set?key=cart&value=darjeeling')
  const plain = await start(t, { store: cookieStore() })
  const client = encrypted.client.at(plain.origin)
  t.deepEqual((await client.get('/get')).json, { cart: 'darjeeling' })
  await client.get('/add')
  t.true(readable(client).includes('darjeeling'))
  t.deepEqual((await client.at(encrypted.origin).get('/get')).json, { cart: 'darjeeling', count: 1 })
})

test('a Keygrip, which hides its secrets, is refused together with encrypt', async (t) => {
  const keys = new Keygrip([secret], 'sha256')
  const message = /cookieStore\(\{ encrypt: true \}\) needs the secrets themselves, but a ready Keygrip hides them/
  t.throws(() => session({ store: cookieStore({ encrypt: true }), keys }), { code: 'ERR_SESSION_KEYS', message })
  const { app, client, errors } = await start(t)
  app.keys = keys
  t.is((await client.get('/get')).status, 500)
  t.regex(errors[0]!.message, message)
  const { client: other } = await start(t, { store: cookieStore(), keys })
  await other.get('/set?key=cart&value=tea')
  t.deepEqual((await other.get('/get')).json, { cart: 'tea' })
})

test('an encrypted cookie is no session where a Keygrip hides the secrets, and is reported', async (t) => {
  const { client } = await start(t)
  await client.get('/set?key=cart&value=tea')
  const { origin, errors } = await start(t, { store: cookieStore(), keys: new Keygrip([secret], 'sha256') })
  const events = recordEvents(t)
  const id = idOf(client.cookie('session')!)
  t.deepEqual((await client.at(origin).get('/get')).json, {})
  t.like(events.find((event) => event.type === 'corrupt' && event.id === id), { reason: 'it was encrypted with a secret that is not among the keys' })
  t.deepEqual(errors, [])
})

test('an encrypted cookie has at most 4096 bytes, and is 64 bytes longer than a plain one at most', async (t) => {
  const [encrypted, plain] = [await start(t), await start(t, { store: cookieStore() })]
  const sizes = []
  for (const { client } of [encrypted, plain]) {
    const { setCookie } = await client.get('/big?n=2500')
    sizes.push(setCookie[0]!.length)
  }
  t.true(sizes[0]! > sizes[1]! && sizes[0]! - sizes[1]! <= 64, sizes.join(' '))
  t.is((await encrypted.client.get('/big?n=3200')).status, 500)
  t.like(encrypted.errors[0], { code: 'ERR_SESSION_TOO_LARGE' })
})

test('tests of an application can start with an encrypted cookie', async (t) => {
  const { origin } = await start(t)
  const cookie = await sessionCookie({ cart: 'tea' }, { store: cookieStore({ encrypt: true }), keys: [secret] })
  t.deepEqual((await new Client(origin).get('/get', { headers: { cookie } })).json, { cart: 'tea' })
})

test('wrong options are refused, and so is seal with cookieStore()', (t) => {
  t.throws(() => cookieStore({ encrypt: 'yes' } as object), { instanceOf: TypeError, message: /^cookieStore\(options\): encrypt must be true or false/ })
  t.throws(() => cookieStore({ encypt: true } as object), { instanceOf: TypeError, message: /did you mean "encrypt"\?/ })
  for (const seal of [true, 'migrate'] as const) {
    t.throws(() => session({ store: cookieStore(), seal }), { instanceOf: TypeError, message: /seal cannot be used with cookieStore\(\), which keeps no record at rest: use cookieStore\(\{ encrypt: true \}\)/ })
  }
  t.notThrows(() => session({ store: memoryStore(), seal: false }))
})
