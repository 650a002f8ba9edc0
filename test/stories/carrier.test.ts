import test from 'ava'
import type { Context } from 'koa'
import { cookieStore, memoryStore, session, type Carrier } from '../../src/index.js'
import { sessionCookie } from '../../src/testing/index.js'
import { startApp } from '../support/app.js'
import { Client, type Answer } from '../support/client.js'
import { idOf, recordEvents } from '../support/events.js'
import { createApp, routesOf, secret, startStory, type Options, type Routes } from '../support/story.js'

/** Carries the token in a header, as an application would for its native clients. */
const inHeader: Carrier = {
  read: (ctx) => ctx.get('X-Session'),
  write: (ctx, token) => ctx.set('X-Session', token ?? ''),
  vary: 'X-Session'
}

const routes: Routes = {
  '/login': async (ctx) => ctx.session.loginAs('momo'),
  '/set': (ctx) => ctx.session.set('cart', ['tea']),
  '/cart': (ctx) => ({ cart: ctx.session.get('cart', null), owner: ctx.session.owner ?? null }),
  '/nothing': () => ({}),
  '/logout': async (ctx) => ctx.session.destroy(),
  '/wrong': (ctx) => {
    ctx.session.increment('attempts')
    ctx.throw(401)
  },
  '/replaced': (ctx) => {
    ctx.session.set('cart', [])
    for (const name of ctx.res.getHeaderNames()) ctx.res.removeHeader(name)
    ctx.set('X-Session', 'of another server')
  }
}

const isNative = (ctx: Context) => ctx.get('X-Client') === 'app'
const start = (t: Parameters<typeof startStory>[0], options: Options = {}, more: Routes = {}) => startStory(t, { ...routes, ...more }, { carrier: inHeader, ...options })
const withToken = (token: string) => ({ headers: { 'x-session': token } })
const tokenIn = ({ headers }: Answer) => headers['x-session'] as string

test('a client that keeps the token of the header keeps its session, and gets no cookie', async (t) => {
  const { client } = await start(t)
  const set = await client.get('/set')
  t.deepEqual([set.status, set.setCookie, set.headers['cache-control'], set.headers.vary], [204, [], 'no-store', 'X-Session'])
  const cart = await client.get('/cart', withToken(tokenIn(set)))
  t.deepEqual(cart.json, { cart: ['tea'], owner: null })
  t.deepEqual([tokenIn(cart), cart.headers.vary, cart.headers['cache-control']], [undefined, 'X-Session', undefined] as unknown[], 'nothing new is to be kept')
})

test('a client without a token, and one with a token that nobody signed, have no session', async (t) => {
  const { client, store } = await start(t)
  const token = tokenIn(await client.get('/set'))
  const forged = `${token.slice(0, -1)}${token.endsWith('A') ? 'B' : 'A'}`
  store.calls.length = 0
  for (const send of [{}, withToken(''), withToken('x'), withToken(forged), { headers: { cookie: `session=${token}` } }]) {
    t.deepEqual((await client.get('/cart', send)).json, { cart: null, owner: null })
  }
  t.is(store.said, '', 'the store was not asked')
})

test('a login gives another token, and the old one opens nothing', async (t) => {
  const { client } = await start(t)
  const before = tokenIn(await client.get('/set'))
  const after = tokenIn(await client.get('/login', withToken(before)))
  t.not(before, after)
  t.deepEqual((await client.get('/cart', withToken(after))).json, { cart: ['tea'], owner: 'momo' })
  t.deepEqual((await client.get('/cart', withToken(before))).json, { cart: null, owner: null })
})

test('a logout asks the client to forget its token, which opens nothing any more', async (t) => {
  const { client } = await start(t)
  const token = tokenIn(await client.get('/login'))
  const logout = await client.get('/logout', withToken(token))
  t.deepEqual([logout.status, tokenIn(logout)], [204, ''])
  t.deepEqual((await client.get('/cart', withToken(token))).json, { cart: null, owner: null })
  t.is(tokenIn(await client.get('/logout')), undefined as unknown as string, 'a client without a token has none to forget')
})

test('a request that does not use the session, or only looks at an empty one, gets no token', async (t) => {
  const { client } = await start(t)
  for (const path of ['/nothing', '/cart']) t.is(tokenIn(await client.get(path)), undefined as unknown as string)
})

test('the token is in the response to an error, and where the application removed or replaced every header', async (t) => {
  const { client, app } = await start(t)
  app.silent = true
  const wrong = await client.get('/wrong')
  t.is(wrong.status, 401)
  t.regex(tokenIn(wrong), /^[\w-]{43}\.[\w-]{43}$/)
  const replaced = await client.get('/replaced')
  t.regex(tokenIn(replaced), /^[\w-]{43}\.[\w-]{43}$/)
  t.is(replaced.headers['cache-control'], 'no-store')
})

test('a carrier that does not say which header it reads makes Vary: *, so that no cache gives one session to another client', async (t) => {
  const { client } = await start(t, { carrier: { ...inHeader, vary: undefined } })
  const token = tokenIn(await client.get('/set'))
  t.is((await client.get('/cart', withToken(token))).headers.vary, '*')
  t.is((await client.get('/nothing', withToken(token))).headers.vary, undefined)
})

test('a token that an older key signed is replaced, and one of a foreign key is reported', async (t) => {
  const events = recordEvents(t)
  const store = memoryStore()
  const old = await start(t, { store, keys: ['an older secret of more than 32 characters'] })
  const token = tokenIn(await old.client.get('/set'))
  const { client } = await start(t, { store, keys: [secret, 'an older secret of more than 32 characters'] })
  const cart = await client.get('/cart', withToken(token))
  t.deepEqual(cart.json, { cart: ['tea'], owner: null })
  t.is(tokenIn(cart).split('.')[0], token.split('.')[0])
  t.not(tokenIn(cart), token)
  const foreign = await start(t, { store, keys: ['a foreign secret of more than 32 characters'] })
  t.deepEqual((await foreign.client.get('/cart', withToken(token))).json, { cart: null, owner: null })
  t.true(events.some((event) => event.type === 'invalid-cookie' && event.reason === 'signature'))
})

test('without signatures, the token is the bare sid', async (t) => {
  const { client, store } = await start(t, { signed: false })
  const token = tokenIn(await client.get('/set'))
  t.regex(token, /^[\w-]{43}$/)
  t.truthy(await store.peek(idOf(token)))
  t.deepEqual((await client.get('/cart', withToken(token))).json, { cart: ['tea'], owner: null })
})

test('a sealed session opens with the token of the header, and sessionCookie() makes its token', async (t) => {
  const options = { store: memoryStore(), carrier: inHeader, seal: true, keys: [secret] } as const
  const { client } = await start(t, options)
  const token = tokenIn(await client.get('/set'))
  t.deepEqual((await client.get('/cart', withToken(token))).json, { cart: ['tea'], owner: null })
  const made = await sessionCookie({ cart: ['cup'] }, { ...options, now: () => Date.UTC(2026, 0, 1) }, 'lin')
  t.deepEqual((await client.get('/cart', withToken(made.slice(made.indexOf('=') + 1)))).json, { cart: ['cup'], owner: 'lin' })
})

test('with cookieStore(), the token carries the record, and a record that is too large is an error', async (t) => {
  const app = createApp()
  app.silent = true
  app.use(session({ store: cookieStore(), carrier: inHeader }))
  app.use(routesOf({ ...routes, '/large': (ctx) => ctx.session.set('text', 'x'.repeat(4000)) }))
  const client = new Client(await startApp(t, app))
  const token = tokenIn(await client.get('/set'))
  t.deepEqual((await client.get('/cart', withToken(token))).json, { cart: ['tea'], owner: null })
  t.is((await client.get('/large')).status, 500)
})

test('browsers with a cookie and native clients with a header share one application and one store', async (t) => {
  const store = memoryStore()
  const app = createApp()
  app.use(session({ store, carrier: inHeader, skip: (ctx) => !isNative(ctx) }))
  app.use(session({ store, skip: isNative }))
  app.use(routesOf(routes))
  const client = new Client(await startApp(t, app))
  const browser = await client.get('/set')
  t.is(browser.setCookie.length, 1)
  t.is(tokenIn(browser), undefined as unknown as string)
  const native = await client.get('/login', { headers: { 'x-client': 'app' } })
  t.deepEqual(native.setCookie, [])
  t.deepEqual((await client.get('/cart')).json, { cart: ['tea'], owner: null })
  t.deepEqual((await client.get('/cart', { headers: { 'x-client': 'app', 'x-session': tokenIn(native) } })).json, { cart: null, owner: 'momo' })
})

test('sessions.read(request) reads the token with the carrier', async (t) => {
  const sessions = session({ store: memoryStore(), carrier: inHeader, keys: [secret] })
  const app = createApp()
  app.use(sessions).use(routesOf(routes))
  const client = new Client(await startApp(t, app))
  const token = tokenIn(await client.get('/login'))
  t.is((await sessions.read({ headers: { 'x-session': token } as Record<string, string> }))?.owner, 'momo')
  t.is(await sessions.read({ headers: { cookie: `session=${token}` } }), undefined)
})

test('a carrier whose read answers a promise or a number is an error that says what is expected', async (t) => {
  for (const [answer, got] of [[Promise.resolve('x'), 'a promise'], [7, 'a value of the type number']] as const) {
    const { client, app, errors } = await start(t, { carrier: { ...inHeader, read: () => answer as unknown as string } })
    app.silent = true
    t.is((await client.get('/cart')).status, 500)
    t.is(errors[0]?.message, `session(options): carrier.read(ctx) must return the token as a string, or undefined, got ${got}`)
  }
})

test('a carrier without its functions, with an unknown name, or beside options of the cookie is refused', (t) => {
  const wrong: [unknown, RegExp][] = [
    [{ carrier: {} }, /carrier must have the functions read and write, for example \{ read: \(ctx\) => ctx\.get\('X-Session'\)/],
    [{ carrier: 'X-Session' }, /carrier/],
    [{ carrier: { ...inHeader, header: 'x' } }, /carrier: .*header/],
    [{ carrier: { ...inHeader, vary: '' } }, /carrier\.vary must be the name of a request header/],
    [{ carrier: inHeader, cookie: { sameSite: 'none' } }, /cookie cannot be used with carrier, because no cookie is sent: leave it out/]
  ]
  for (const [options, message] of wrong) t.throws(() => session(options as Options), { instanceOf: TypeError, message })
  t.throws(() => session({ externalKey: {} } as Options), { message: /"externalKey" is now carrier/ })
})
