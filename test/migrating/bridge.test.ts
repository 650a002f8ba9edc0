import test from 'ava'
import type { Context } from 'koa'
import { cookieStore, memoryStore, session } from '../../src/index.js'
import type { Bridge, OldSession } from '../../src/migrating/index.js'
import { startApp, type Cleanup } from '../support/app.js'
import { Client } from '../support/client.js'
import { recordEvents } from '../support/events.js'
import { createGate } from '../support/gate.js'
import { createApp, createClock, day, hour, minute, routesOf, startStory, type Options, type Routes, type Story } from '../support/story.js'
import { recordWarnings } from '../support/warnings.js'

// What the middleware does with any bridge. The bridges themselves: see the other files of this folder.

const until = new Date(createClock().now() + 30 * day)

/** An old library: sessions by the value of its cookie `old`, and what happened to them. */
interface OldLibrary {
  readonly sessions: Map<string, OldSession>
  readonly calls: string[]
  readonly bridge: Bridge
}

function oldLibrary(given: Partial<Bridge> = {}): OldLibrary {
  const sessions = new Map<string, OldSession>([['a', { data: { user: 'momo', cart: ['tea'] } }]])
  const calls: string[] = []
  const bridge: Bridge = {
    name: 'old',
    until,
    cookies: [{ name: 'old' }],
    read(ctx) {
      calls.push('read')
      return sessions.get(ctx.cookies.get('old') ?? '')
    },
    async end(ctx) {
      await Promise.resolve()
      calls.push('end')
      sessions.delete(ctx.cookies.get('old') ?? '')
    },
    ...given
  }
  return { sessions, calls, bridge }
}

const fails = async (): Promise<never> => Promise.reject(new Error('down'))

const routes = {
  '/': (ctx: Context) => ({ ...(ctx.session as object), isNew: ctx.session.isNew, owner: ctx.session.owner ?? null }),
  '/add': (ctx: Context) => void (ctx.session['cart'] as string[]).push('milk'),
  '/untouched': () => 'nothing',
  '/null': (ctx: Context) => void (ctx.session = null),
  '/destroy': async (ctx: Context) => ctx.session.destroy(),
  '/clear': (ctx: Context) => ctx.session.clear(),
  '/delete': (ctx: Context) => {
    delete ctx.session['user']
    delete ctx.session['cart']
  },
  '/replace': (ctx: Context) => void (ctx.session = { user: 'lou' }),
  '/login': async (ctx: Context) => ctx.session.loginAs('17'),
  '/login-lou': async (ctx: Context) => {
    await ctx.session.loginAs('99')
    ctx.session['mine'] = true
  },
  '/regenerate': async (ctx: Context) => ctx.session.regenerate(),
  '/broken': (ctx: Context) => ctx.throw(500, String(ctx.session['user'])),
  '/broken-logout': (ctx: Context) => {
    ctx.session = null
    ctx.throw(500)
  },
  '/denied': (ctx: Context) => ctx.throw(401, String(ctx.session['user'])),
  '/save': async (ctx: Context) => String(await ctx.session.save())
}

interface Moving extends Story {
  readonly old: OldLibrary
}

type Given = { bridge?: Partial<Bridge>; old?: OldSession; routes?: Routes; https?: boolean; host?: string } & Options

async function startMoving(t: Cleanup, given: Given = {}): Promise<Moving> {
  const { bridge, old: first, routes: more, ...options } = given
  const old = oldLibrary(bridge)
  if (first) old.sessions.set('a', first)
  const story = await startStory(t, { ...routes, ...more }, { migrate: old.bridge, ...options })
  story.client.keep('old=a; Path=/')
  return { ...story, old }
}

test('a user who only reads is moved into a new session', async (t) => {
  const { client, old, record } = await startMoving(t)
  const { json, setCookie } = await client.get('/')
  t.deepEqual(json, { user: 'momo', cart: ['tea'], isNew: false, owner: null })
  t.is(setCookie.length, 1)
  t.like(await record(), { data: { user: 'momo', cart: ['tea'] }, permanent: false })
  old.calls.length = 0
  t.like((await client.get('/')).json, { user: 'momo', isNew: false })
  t.deepEqual(old.calls, [])
})

test('a minute after the move, the next request that uses the session ends the old one and clears its cookie', async (t) => {
  const { client, old, time } = await startMoving(t)
  await client.get('/')
  time.pass(minute - 1)
  await client.get('/')
  t.is(client.cookie('old'), 'a')
  time.pass(1)
  t.deepEqual((await client.get('/untouched')).setCookie, [])
  await client.get('/')
  t.is(client.cookie('old'), undefined)
  t.is(old.sessions.size, 0)
  t.like((await client.get('/')).json, { user: 'momo' })
  t.is(old.calls.filter((call) => call === 'end').length, 1)
})

test('every request that leaves before the first response has come is logged in', async (t) => {
  const { client } = await startMoving(t)
  const copies = [client.copy(), client.copy(), client.copy()]
  for (const { json } of await Promise.all(copies.map((copy) => copy.get('/')))) t.like(json, { user: 'momo' })
  await client.get('/')
  t.like((await copies[0]!.copy().get('/')).json, { user: 'momo' })
})

test('a client that never got the response is moved by its next request', async (t) => {
  const { client } = await startMoving(t)
  await client.copy().get('/')
  t.like((await client.get('/')).json, { user: 'momo' })
})

test('a request that is in progress while its user logs out does not bring the session back', async (t) => {
  const gate = createGate()
  const slow = async (ctx: Context) => {
    ctx.session['late'] = true
    await gate.pass()
  }
  const { client, old, store } = await startMoving(t, { routes: { '/slow': slow } })
  const other = client.copy()
  const late = other.get('/slow')
  await gate.reached()
  await client.get('/null')
  t.is(old.sessions.size, 0)
  gate.open()
  t.deepEqual((await late).setCookie, [])
  t.is(store.said, '')
})

test('the first request may change the old data in place', async (t) => {
  const { client, record } = await startMoving(t)
  await client.get('/add')
  t.like(await record(), { data: { user: 'momo', cart: ['tea', 'milk'] } })
})

test('a request that does not use the session moves nothing', async (t) => {
  const { client, old, store } = await startMoving(t)
  t.deepEqual((await client.get('/untouched')).setCookie, [])
  t.is(client.cookie('old'), 'a')
  t.is(old.sessions.size, 1)
  t.is(store.said, '')
})

test('a server error creates nothing, and the bridge is asked again next time', async (t) => {
  const { client, old, store } = await startMoving(t)
  t.is((await client.get('/broken')).status, 500)
  t.is(store.said, '')
  t.is(client.cookie('old'), 'a')
  t.like((await client.get('/')).json, { user: 'momo' })
  t.true(old.calls.length > 1)
})

test('an error below 500 moves the session and later clears the old cookie: Koa removes no header of ours', async (t) => {
  const { client, old, record, time } = await startMoving(t)
  const { status, text } = await client.get('/denied')
  t.deepEqual([status, text], [401, 'momo'])
  t.truthy(await record())
  time.pass(minute)
  await client.get('/denied')
  t.is(client.cookie('old'), undefined)
  t.is(old.sessions.size, 0)
})

for (const path of ['/null', '/destroy', '/clear', '/delete', '/broken-logout']) {
  test(`a logout in the first request already ends the old session: ${path}`, async (t) => {
    const { client, old, store } = await startMoving(t)
    await client.get(path)
    t.is(client.cookie('old'), undefined)
    t.is(old.sessions.size, 0)
    t.is(store.said, '')
    t.deepEqual((await client.get('/')).json, { isNew: true, owner: null })
  })
}

test('a logout ends an old session also when the client has a new one', async (t) => {
  const { client, old } = await startMoving(t)
  await client.get('/')
  await client.get('/null')
  t.deepEqual(client.cookies, [])
  t.is(old.sessions.size, 0)
})

test('a session of ours comes first, and the bridge is not asked', async (t) => {
  const { client, old } = await startMoving(t)
  await client.get('/replace')
  old.calls.length = 0
  client.keep('old=b; Path=/')
  old.sessions.set('b', { data: { user: 'other' } })
  t.like((await client.get('/')).json, { user: 'lou' })
  t.deepEqual(old.calls, [])
})

test('a session that has just got a new sid is not looked for in the old library', async (t) => {
  const { client, old } = await startMoving(t)
  await client.get('/')
  const late = client.copy()
  await client.get('/regenerate')
  old.sessions.set('b', { data: { user: 'other' } })
  late.keep('old=b; Path=/')
  t.deepEqual((await late.get('/')).json, { isNew: true, owner: null })
  t.true(old.sessions.has('b'))
})

test('a session of ours that is over is not replaced by an older one', async (t) => {
  const { client, old, store, record } = await startMoving(t)
  await client.get('/')
  await store.destroy((await record())!.id)
  t.deepEqual((await client.get('/')).json, { isNew: true, owner: null })
  t.is(old.sessions.size, 1)
})

test('a copy of the old cookie works no more when the old session is gone', async (t) => {
  const { client, time } = await startMoving(t)
  const thief = client.copy()
  await client.get('/')
  time.pass(minute)
  await client.get('/')
  t.deepEqual((await thief.get('/')).json, { isNew: true, owner: null })
})

test('owner, permanent and lifetime of the old session are those of the new one', async (t) => {
  const { client, record, time } = await startMoving(t, { old: { data: {}, owner: '17', permanent: true, lifetime: hour } })
  t.deepEqual((await client.get('/')).json, { isNew: false, owner: '17' })
  t.like(await record(), { owner: '17', permanent: true, lifetime: hour, expires: time.now() + hour, data: {} })
})

test('an old session without data and without an owner is none', async (t) => {
  const { client, store } = await startMoving(t, { old: { data: {} } })
  t.deepEqual((await client.get('/')).json, { isNew: true, owner: null })
  t.is(store.said, '')
})

test('loginAs() keeps the data of the same owner and of nobody, and none of another owner', async (t) => {
  for (const [owner, kept] of [[undefined, ['cart', 'user']], ['17', ['cart', 'user']], ['3', []]] as const) {
    const { client, record, old } = await startMoving(t, { old: { data: { user: 'momo', cart: [] }, owner } })
    await client.get('/login')
    t.deepEqual(Object.keys((await record())!.data).toSorted(), kept)
    t.is((await record())!.owner, '17')
    t.is(old.sessions.size, 0)
  }
})

test('a request that logs another user in keeps what it set itself', async (t) => {
  const { client, record } = await startMoving(t, { old: { data: { user: 'momo' }, owner: '3' } })
  await client.get('/login-lou')
  t.like(await record(), { owner: '99', data: { mine: true } })
})

for (const path of ['/login', '/regenerate']) {
  test(`a new sid ends the old session at once: ${path}`, async (t) => {
    const { client, old } = await startMoving(t)
    await client.get('/')
    t.is(client.cookie('old'), 'a')
    await client.get(path)
    t.is(client.cookie('old'), undefined)
    t.is(old.sessions.size, 0)
    t.like((await client.get('/')).json, { user: 'momo' })
  })
}

test('regenerate() and save() move the session too', async (t) => {
  for (const path of ['/regenerate', '/save']) {
    const { client, record } = await startMoving(t)
    t.true((await client.get(path)).status < 300)
    t.like(await record(), { data: { user: 'momo' } })
  }
})

test('an event names the bridge that a session came by', async (t) => {
  const events = recordEvents(t)
  const { client, record } = await startMoving(t, { bridge: { name: 'named' } })
  await client.get('/')
  const { id } = (await record())!
  t.deepEqual(events.filter((event) => event.id === id), [{ type: 'create', id }, { type: 'migrate', id, bridge: 'named' }])
})

test('from `until` on, the bridge is not asked, and one warning says that it can go', async (t) => {
  const warnings = recordWarnings(t, /the bridge "over"/)
  const { client, old, time } = await startMoving(t, { bridge: { name: 'over' } })
  time.pass(30 * day)
  for (let n = 0; n < 2; n++) t.deepEqual((await client.get('/')).json, { isNew: true, owner: null })
  t.deepEqual(old.calls, [])
  t.deepEqual(warnings, [`the bridge "over" has moved no session since ${until.toISOString()}: remove it from the option migrate of session()`])
})

test('of several bridges, the first one that answers counts, and a logout ends the sessions of all', async (t) => {
  const [one, two] = [oldLibrary({ name: 'one' }), oldLibrary({ name: 'two', cookies: [{ name: 'older', path: '/' }] })]
  const three = oldLibrary({ name: 'three' })
  const { client } = await startStory(t, routes, { migrate: [two.bridge, one.bridge, three.bridge] })
  client.keep('old=a; Path=/')
  t.like((await client.get('/')).json, { user: 'momo' })
  await client.get('/null')
  t.deepEqual([one.calls.includes('read'), one.sessions.size], [true, 0])
  t.deepEqual([two.calls, three.calls], [[], ['end']])
})

test('a bridge without cookies is asked by each request without a session', async (t) => {
  const old = oldLibrary({ cookies: undefined })
  const { client, origin } = await startStory(t, routes, { migrate: old.bridge })
  await client.get('/untouched')
  t.deepEqual(old.calls, ['read'])
  const other = new Client(origin)
  other.keep('old=a; Path=/')
  t.like((await other.get('/')).json, { user: 'momo' })
})

test('the old cookie is cleared with the attributes with which it was set', async (t) => {
  const cookies = [{ name: 'old', path: '/', domain: 'example.com', sameSite: 'none', secure: true } as const, { name: 'old.sig' }]
  const { client } = await startMoving(t, { bridge: { cookies }, https: true, host: 'www.example.com' })
  client.keep('old=a; Path=/; Domain=example.com; Secure')
  const { setCookie } = await client.get('/null')
  t.deepEqual(setCookie.filter((line) => line.startsWith('old')), [
    'old=; Path=/; Domain=example.com; HttpOnly; Secure; SameSite=None; Expires=Thu, 01 Jan 1970 00:00:00 GMT'
  ])
})

test('an old cookie of the same name and scope is replaced and not cleared, so the old session ends at once', async (t) => {
  const sessions = new Map([['a', { data: { user: 'momo' } }]])
  let ended = 0
  const bridge: Bridge = {
    name: 'same',
    until,
    cookies: [{ name: 'session' }],
    read: (ctx) => sessions.get(ctx.cookies.get('session') ?? ''),
    end: () => void ended++
  }
  const { client } = await startStory(t, routes, { migrate: bridge })
  client.keep('session=a; Path=/')
  const { setCookie } = await client.get('/')
  t.is(setCookie.length, 1)
  t.regex(setCookie[0]!, /^session=[\w-]{43}\.[\w-]{43};/)
  t.is(ended, 1)
  t.like((await client.get('/')).json, { user: 'momo' })

  client.keep('session=a; Path=/')
  await client.get('/null')
  t.deepEqual(client.cookies, [])
})

test('an old cookie of the same name in another path is cleared, and the new one is kept', async (t) => {
  const bridge: Bridge = { name: 'path', until, cookies: [{ name: 'session', path: '/s' }], read: (ctx) => (ctx.cookies.get('session') === 'a' ? { data: { user: 'momo' } } : undefined) }
  const { client, time } = await startStory(t, { '/s/': routes['/'] }, { migrate: bridge })
  client.keep('session=a; Path=/s')
  t.like((await client.get('/s/')).json, { user: 'momo' })
  time.pass(minute)
  t.like((await client.get('/s/')).json, { user: 'momo' })
  t.deepEqual(client.cookies.map(({ path }) => path), ['/'])
  t.like((await client.get('/s/')).json, { user: 'momo', isNew: false })
})

test('cookieStore() takes over old sessions, too', async (t) => {
  const old = oldLibrary({ until: new Date(Date.now() + day) })
  const app = createApp()
  app.use(session({ store: cookieStore(), migrate: old.bridge }))
  app.use(routesOf(routes))
  const client = new Client(await startApp(t, app))
  client.keep('old=a; Path=/')
  t.like((await client.get('/')).json, { user: 'momo' })
  t.like((await client.get('/')).json, { user: 'momo', isNew: false })
  await client.get('/null')
  t.deepEqual(client.cookies, [])
  t.is(old.sessions.size, 0)
})

test('a creation that fails ends nothing, and fails only a request that changed something', async (t) => {
  const { client, old, store } = await startMoving(t)
  store.fault = ({ method }) => (method === 'create' ? Promise.reject(new Error('full')) : undefined)
  t.like(await client.get('/'), { status: 200, setCookie: [] })
  t.is((await client.get('/add')).status, 503)
  t.is(client.cookie('old'), 'a')
  t.is(old.sessions.size, 1)
  store.fault = undefined
  t.like((await client.get('/')).json, { user: 'momo', cart: ['tea'] })
})

test('an old store that fails is 503 and not a logout; with onStoreError: anonymous, the session is read-only', async (t) => {
  const events = recordEvents(t)
  const { client, errors } = await startMoving(t, { bridge: { read: fails } })
  t.is((await client.get('/')).status, 503)
  t.like(errors[0], { code: 'ERR_SESSION_STORE', message: 'the session store failed to read an old session: down' })
  t.true(events.some(({ type }) => type === 'store-error'))
  t.is(client.cookie('old'), 'a')

  const anonymous = await startMoving(t, { bridge: { read: fails }, onStoreError: 'anonymous' })
  t.like(await anonymous.client.get('/'), { status: 200, setCookie: [] })
  t.is((await anonymous.client.get('/replace')).status, 503)
})

test('an old store that does not answer is 503 after storeTimeout', async (t) => {
  const { client, errors } = await startMoving(t, { bridge: { read: () => new Promise(() => undefined) }, storeTimeout: 20 })
  t.is((await client.get('/')).status, 503)
  t.like(errors[0], { code: 'ERR_SESSION_TIMEOUT' })
})

test('an old session that cannot be removed fails no request, except a logout', async (t) => {
  const { client, time } = await startMoving(t, { bridge: { end: fails } })
  await client.get('/')
  time.pass(minute)
  t.like((await client.get('/')).json, { user: 'momo' })
  t.is(client.cookie('old'), undefined)

  for (const path of ['/null', '/destroy', '/clear']) {
    const story = await startMoving(t, { bridge: { end: fails } })
    t.is((await story.client.get(path)).status, 503, path)
    t.is(story.client.cookie('old'), undefined, path)
  }
})

test('an end that never answers holds the request for storeTimeout at most', async (t) => {
  const { client, time } = await startMoving(t, { bridge: { end: () => new Promise(() => undefined) }, storeTimeout: 20 })
  await client.get('/')
  time.pass(minute)
  t.is((await client.get('/')).status, 200)
})

test('a session that is too large stays where it is: its user stays logged in until the bridge ends', async (t) => {
  const warnings = recordWarnings(t, /the bridge "large"/)
  const { client, old } = await startMoving(t, { bridge: { name: 'large' }, old: { data: { user: 'momo', text: 'x'.repeat(2000) } }, maxBytes: 1000 })
  for (let n = 0; n < 2; n++) t.like((await client.get('/')).json, { user: 'momo' })
  t.is(old.sessions.size, 1)
  t.is(client.cookie('old'), 'a')
  t.is(warnings.length, 1)
})

test('a session that cannot be stored is no session, and one warning names the value', async (t) => {
  const warnings = recordWarnings(t, /the bridge "odd"/)
  const { client } = await startMoving(t, { bridge: { name: 'odd' }, old: { data: { user: 'momo', list: [() => 1] } } })
  for (let n = 0; n < 2; n++) t.deepEqual((await client.get('/')).json, { isNew: true, owner: null })
  t.is(warnings.length, 1)
  t.regex(warnings[0]!, /list\[0\]: a function cannot be stored/)
})

test('a bridge that answers something else than a session is an error that names the bridge', async (t) => {
  const answers: [object, RegExp][] = [[{}, /"old" .* data is not an object/], [{ data: [] }, /data/], [{ data: {}, owner: 17 }, /owner/], [{ data: {}, permanent: 1 }, /permanent/], [{ data: {}, lifetime: -1 }, /lifetime/]]
  for (const [answer, message] of answers) {
    const { client, errors } = await startMoving(t, { bridge: { read: () => answer as OldSession } })
    t.is((await client.get('/')).status, 500)
    t.regex(errors[0]!.message, message)
  }
})

test('wrong bridges are refused when session() is called', (t) => {
  const right: Bridge = { name: 'x', until, read: () => undefined }
  const wrong: [unknown, RegExp][] = [
    [1, /migrate: expected an object/],
    [{ ...right, name: '' }, /name must be/],
    [{ ...right, until: '2026-01-01' }, /until must be a valid Date/],
    [{ ...right, until: new Date('never') }, /until must be a valid Date/],
    [{ ...right, read: undefined }, /read must be a function/],
    [{ ...right, end: 1 }, /end must be a function/],
    [{ ...right, cookies: {} }, /cookies must be an array/],
    [{ ...right, cookies: [{ name: 'a b' }] }, /name of a cookie/],
    [{ ...right, cookies: [{ name: 'a', path: 'b' }] }, /path/],
    [{ ...right, ending: 1 }, /unknown option "ending"/]
  ]
  for (const [migrate, message] of wrong) t.throws(() => session({ store: memoryStore(), migrate: migrate as Bridge }), { instanceOf: TypeError, message })
  t.notThrows(() => session({ store: memoryStore(), migrate: [right, { ...right, end: () => undefined }] }))
})
