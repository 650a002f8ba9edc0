import test from 'ava'
import type { Context } from 'koa'
import { cookieStore, memoryStore, session, type SessionInfo } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { idOf, recordEvents } from '../support/events.js'
import { createGate } from '../support/gate.js'
import { createApp, createClock, hour, minute, routesOf, startStory, type Options, type Routes } from '../support/story.js'

const login = (ctx: Context) => ctx.session.loginAs(String(ctx.query['user']))

const routes: Routes = {
  '/add': (ctx) => void ctx.session.change('cart', (cart: string[] = []) => [...cart, 'tea']),
  '/theme': (ctx) => ctx.session.set('theme', 'dark'),
  '/login': login,
  '/keep': (ctx) => ctx.session.loginAs('lin', { keep: ['theme'] }),
  '/remember': (ctx) => ctx.session.loginAs('lin', { permanent: true, lifetime: hour }),
  '/logout': (ctx) => ctx.session.destroy(),
  '/others': async (ctx) => ({ ended: await ctx.session.endOthers() }),
  '/clear': (ctx) => ctx.session.clear(),
  '/regenerate': (ctx) => ctx.session.regenerate(),
  '/': (ctx) => ({ owner: ctx.session.owner, recordId: ctx.session.recordId, data: ctx.session })
}

/** A story, and its middleware for use outside requests. */
async function startOwners(t: Parameters<typeof startApp>[0], options: Options = {}, more: Routes = {}) {
  const time = createClock()
  const sessions = session({ store: memoryStore(), now: time.now, ...options })
  const app = createApp()
  app.use(sessions).use(routesOf({ ...routes, ...more }))
  const origin = await startApp(t, app)
  return { sessions, time, browser: () => new Client(origin, { now: time.now }) }
}

/** The answer of `/` about a browser's session. */
async function seen(browser: Client): Promise<{ owner?: string; recordId: string }> {
  return (await browser.get('/')).json as { owner?: string; recordId: string }
}

async function listed(infos: AsyncIterable<SessionInfo>): Promise<SessionInfo[]> {
  const all: SessionInfo[] = []
  for await (const info of infos) all.push(info)
  return all
}

test('loginAs() gives a new sid and an owner, and keeps an anonymous visitor\'s data', async (t) => {
  const { client, record } = await startStory(t, routes)
  await client.get('/add')
  const thief = client.copy()
  const events = recordEvents(t)
  const { status, setCookie, headers } = await client.get('/login?user=lin')
  t.is(status, 204)
  t.is(setCookie.length, 1)
  t.is(headers.vary, 'Cookie')
  const stored = (await record())!
  t.is(stored.owner, 'lin')
  t.deepEqual(stored.data, { cart: ['tea'] })
  t.is(await record(thief), undefined)
  t.deepEqual((await thief.get('/')).json, { data: {} })
  const event = events.find(({ type, id }) => type === 'login' && id === stored.id)
  t.deepEqual(event, { type: 'login', id: stored.id, from: idOf(thief.cookie('session')!), owner: 'lin' })
})

test('loginAs() of a visitor without a session creates one at once, also without data', async (t) => {
  const { client, record, store } = await startStory(t, routes)
  t.is((await client.get('/login?user=lin')).setCookie.length, 1)
  t.is(store.said, 'create')
  t.is((await record())?.owner, 'lin')
  t.deepEqual((await client.get('/')).json, { owner: 'lin', recordId: (await record())!.id, data: {} })
})

test('a login over another owner\'s session keeps nothing of it', async (t) => {
  const { client, record } = await startStory(t, routes)
  await client.get('/login?user=momo')
  await client.get('/add')
  await client.get('/login?user=lin')
  t.is((await record())?.owner, 'lin')
  t.deepEqual((await record())?.data, {})
})

test('a login over the same owner\'s session keeps its data', async (t) => {
  const { client, record } = await startStory(t, routes)
  await client.get('/login?user=momo')
  await client.get('/add')
  await client.get('/login?user=momo')
  t.deepEqual((await record())?.data, { cart: ['tea'] })
})

test('loginAs() with keep keeps only those keys', async (t) => {
  const { client, record } = await startStory(t, routes)
  await client.get('/add')
  await client.get('/theme')
  await client.get('/keep')
  t.deepEqual((await record())?.data, { theme: 'dark' })
})

test('permanent and lifetime of loginAs() are stored with the session', async (t) => {
  const { client, record, time } = await startStory(t, routes)
  await client.get('/add')
  const { setCookie } = await client.get('/remember')
  t.regex(setCookie[0]!, /Expires=/)
  const stored = (await record())!
  t.deepEqual([stored.permanent, stored.lifetime, stored.expires], [true, hour, time.now() + hour])
})

test('a logged-in session without data stays, and clear() ends it', async (t) => {
  const { client, record } = await startStory(t, { ...routes, '/pop': (ctx) => ctx.session.pop('cart') })
  await client.get('/add')
  await client.get('/login?user=lin')
  await client.get('/pop')
  t.deepEqual((await record())?.data, {})
  t.is((await seen(client)).owner, 'lin')
  await client.get('/clear')
  t.is(client.cookie('session'), undefined)
})

test('regenerate() keeps the owner', async (t) => {
  const { client, record } = await startStory(t, routes)
  await client.get('/login?user=lin')
  await client.get('/regenerate')
  t.is((await record())?.owner, 'lin')
})

test('an owner that is no string of 1 to 256 characters is a TypeError', async (t) => {
  await startStory(t, routes).then(({ client }) => client.get('/'))
  const { client } = await startStory(t, {
    '/': async (ctx) => {
      for (const owner of ['', 'x'.repeat(257), 17, null, undefined, {}]) {
        await t.throwsAsync(async () => ctx.session.loginAs(owner as string), { instanceOf: TypeError, message: /the owner of loginAs\(\) must be/ })
      }
      await ctx.session.loginAs('漢'.repeat(256))
    }
  })
  t.is((await client.get('/')).status, 204)
})

test('of two logins at once on one anonymous session, each ends with a live session of its own', async (t) => {
  const gate = createGate()
  const { client, record } = await startStory(t, {
    ...routes,
    '/slow': async (ctx) => {
      void ctx.session.get('cart')
      await gate.pass()
      await login(ctx)
    }
  })
  await client.get('/add')
  const [one, two, thief] = [client.copy(), client.copy(), client.copy()]
  const logins = [one.get('/slow?user=momo'), two.get('/slow?user=lin')]
  await gate.reached(2)
  gate.open()
  for (const { status } of await Promise.all(logins)) t.is(status, 204)
  t.deepEqual([(await record(one))?.owner, (await record(two))?.owner], ['momo', 'lin'])
  t.deepEqual((await record(one))?.data, { cart: ['tea'] })
  t.deepEqual((await record(two))?.data, { cart: ['tea'] })
  t.is(await record(thief), undefined)
})

test('a login carries over what a slow writer committed meanwhile, and the writer cannot write afterwards', async (t) => {
  const gate = createGate()
  const { client, record } = await startStory(t, {
    ...routes,
    '/slow': async (ctx) => {
      void ctx.session.get('cart')
      await gate.pass()
      ctx.session.set('late', 1)
    }
  })
  await client.get('/add')
  const old = (await record())!.id
  const writer = client.copy().get('/slow')
  await gate.reached()
  await client.get('/login?user=lin')
  const events = recordEvents(t)
  gate.open()
  const { status, setCookie } = await writer
  t.is(status, 204)
  t.deepEqual(setCookie, [])
  t.deepEqual((await record())?.data, { cart: ['tea'] })
  t.deepEqual(events.filter(({ type, id }) => type === 'dropped' && id === old).map((event) => 'reason' in event && event.reason), ['moved'])
})

test('a request that arrives with the old sid after a login changes nothing and touches no cookie', async (t) => {
  const { client, record } = await startStory(t, routes)
  await client.get('/add')
  const late = client.copy()
  await client.get('/login?user=lin')
  for (const path of ['/add', '/login?user=momo', '/regenerate', '/theme', '/clear']) {
    const { status, setCookie } = await late.get(path)
    t.is(status, 204, path)
    t.deepEqual(setCookie, [], path)
  }
  t.deepEqual([(await record())?.owner, (await record())?.data], ['lin', { cart: ['tea'] }])
})

test('a login in a request that arrives with the old sid logs nobody in, sends no cookie and is reported', async (t) => {
  const { client, record } = await startStory(t, routes)
  await client.get('/add')
  const late = client.copy()
  await client.get('/login?user=lin')
  const events = recordEvents(t)
  const { status, setCookie } = await late.get('/login?user=late')
  t.is(status, 204)
  t.deepEqual(setCookie, [])
  t.is((await record())?.owner, 'lin')
  // The session has no id in this request, and no other test logs in like this.
  t.true(events.some((event) => event.type === 'dropped' && event.reason === 'moved'))
  t.false(events.some((event) => event.type === 'login' && event.owner === 'late'))
})

test('sessions that ended because lifetime was lowered are neither listed, counted nor found', async (t) => {
  const store = memoryStore()
  const { sessions, time, browser } = await startOwners(t, { store, lifetime: 10 * hour })
  const visitor = browser()
  await visitor.get('/login?user=lin')
  const { recordId } = await seen(visitor)
  const restarted = session({ store, now: time.now, lifetime: hour })
  time.pass(2 * hour)
  t.is((await listed(sessions.ownedBy('lin'))).length, 1)
  t.deepEqual(await listed(restarted.ownedBy('lin')), [])
  t.deepEqual(await listed(restarted.all()), [])
  t.is(await restarted.count(), 0)
  t.is(await restarted.find(recordId), undefined)
})

test('endOthers() ends the owner\'s other sessions and nobody else\'s', async (t) => {
  const { sessions, browser } = await startOwners(t)
  const [phone, laptop, other, visitor] = [browser(), browser(), browser(), browser()]
  for (const each of [phone, laptop]) await each.get('/login?user=lin')
  await other.get('/login?user=momo')
  await visitor.get('/add')
  const { recordId } = await seen(phone)
  const events = recordEvents(t)
  t.deepEqual((await laptop.get('/others')).json, { ended: 1 })
  t.is((await seen(phone)).owner, undefined)
  t.is((await seen(laptop)).owner, 'lin')
  t.is((await seen(other)).owner, 'momo')
  t.is(await sessions.count(), 3)
  t.deepEqual(events.filter(({ type, id }) => type === 'end' && id === recordId).map((event) => 'owner' in event && event.owner), ['lin'])
  t.deepEqual((await visitor.get('/others')).json, { ended: 0 })
})

test('maxPerOwner: a login ends the least recently used sessions beyond it', async (t) => {
  const { time, browser } = await startOwners(t, { maxPerOwner: 2, touchAfter: 0 })
  const all = [browser(), browser(), browser()]
  for (const each of all.slice(0, 2)) {
    await each.get('/login?user=lin')
    time.pass(minute)
  }
  await all[0]!.get('/')
  time.pass(minute)
  await all[2]!.get('/login?user=lin')
  const owners = []
  for (const each of all) owners.push((await seen(each)).owner)
  t.deepEqual(owners, ['lin', undefined, 'lin'])
})

test('maxPerOwner: of many logins at the same moment, exactly the maximum stays', async (t) => {
  for (const maxPerOwner of [1, 3]) {
    const { sessions, browser } = await startOwners(t, { maxPerOwner })
    const all = Array.from({ length: 10 }, () => browser())
    await Promise.all(all.map((each) => each.get('/login?user=lin')))
    t.is((await listed(sessions.ownedBy('lin'))).length, maxPerOwner)
  }
})

test('maxPerOwner and endOthers() are refused with a store that cannot list owners, and the error says what to use', async (t) => {
  const blindStore = { ...memoryStore(), scope: () => blindStore }
  delete blindStore.ownedBy
  for (const store of [cookieStore(), blindStore]) {
    t.throws(() => session({ store, maxPerOwner: 1 }), { instanceOf: TypeError, message: /maxPerOwner: this store cannot list.*fileStore\(\)/ })
    const { sessions, browser } = await startOwners(t, { store, keys: ['a secret of more than thirty-two characters'] }, {
      '/refused': (ctx) => {
        t.throws(() => ctx.session.endOthers(), { instanceOf: TypeError, message: /endOthers\(\): this store cannot list/ })
      }
    })
    t.is((await browser().get('/refused')).status, 204)
    t.is((await browser().get('/login?user=lin')).setCookie.length, 1, 'loginAs itself works')
    await t.throwsAsync(listed(sessions.ownedBy('lin')), { instanceOf: TypeError, message: /cannot list the sessions of an owner/ })
    await t.throwsAsync(sessions.endOwnedBy('lin'), { instanceOf: TypeError })
  }
})

test('sessions.ownedBy, all, find, count and end show and end sessions outside a request', async (t) => {
  const { sessions, time, browser } = await startOwners(t)
  const [phone, visitor] = [browser(), browser()]
  await phone.get('/add')
  const start = time.now()
  time.pass(minute)
  await phone.get('/login?user=lin')
  await visitor.get('/theme')
  const [info] = await listed(sessions.ownedBy('lin'))
  const { id, ...rest } = info!
  t.deepEqual(rest, {
    owner: 'lin', createdAt: new Date(start + minute), usedAt: new Date(start + minute), expiresAt: new Date(start + minute + 31 * 24 * hour),
    permanent: false, data: { cart: ['tea'] }
  })
  t.deepEqual(await sessions.find(id), info)
  t.is(await sessions.count(), 2)
  t.is((await listed(sessions.all())).length, 2)
  t.true(await sessions.end(id))
  t.false(await sessions.end(id))
  t.is(await sessions.find(id), undefined)
  t.deepEqual((await phone.get('/')).json, { data: {} })
  for (const method of ['find', 'end'] as const) await t.throwsAsync(async () => sessions[method]('nonsense'), { instanceOf: TypeError })
})

test('sessions.endOwnedBy ends all sessions of an owner except one', async (t) => {
  const { sessions, browser } = await startOwners(t)
  const all = [browser(), browser(), browser()]
  for (const each of all) await each.get('/login?user=lin')
  const { recordId } = await seen(all[0]!)
  t.is(await sessions.endOwnedBy('lin', { except: recordId }), 2)
  t.is((await seen(all[0]!)).owner, 'lin')
  t.is(await sessions.endOwnedBy('lin'), 1)
  t.is(await sessions.endOwnedBy('lin'), 0)
})

test('endOwnedBy also ends a session that gets a new sid meanwhile', async (t) => {
  for (let round = 0; round < 50; round++) {
    const { sessions, browser } = await startOwners(t)
    const all = Array.from({ length: 4 }, () => browser())
    await Promise.all(all.map((each) => each.get('/login?user=lin')))
    const busy = all.map((each) => each.get('/regenerate'))
    await sessions.endOwnedBy('lin')
    await Promise.all(busy)
    // A regenerate() that began afterwards keeps nothing, because its session was gone.
    await sessions.endOwnedBy('lin')
    for (const each of all) t.is((await seen(each)).owner, undefined)
  }
})

test('sessions.read gives the session of any request, and changes nothing', async (t) => {
  const { sessions, time, browser } = await startOwners(t, { touchAfter: 0 })
  const phone = browser()
  await phone.get('/add')
  await phone.get('/login?user=lin')
  const cookie = `session=${phone.cookie('session')}`
  const before = await sessions.find((await seen(phone)).recordId)
  time.pass(minute)
  t.deepEqual(await sessions.read({ headers: { cookie } }), before)
  t.deepEqual(await sessions.find(before!.id), before)
  for (const bad of [undefined, '', 'session=x', `${cookie}x`, 'other=1']) t.is(await sessions.read({ headers: { cookie: bad } }), undefined)
  await phone.get('/logout')
  t.is(await sessions.read({ headers: { cookie } }), undefined)
})

test('sessions.read works with cookieStore, and says when there are no keys', async (t) => {
  const keys = ['a secret of more than thirty-two characters']
  const { sessions, browser } = await startOwners(t, { store: cookieStore(), keys })
  const phone = browser()
  await phone.get('/login?user=lin')
  t.is((await sessions.read({ headers: { cookie: `session=${phone.cookie('session')}` } }))?.owner, 'lin')
  await t.throwsAsync(session({ store: memoryStore() }).read({ headers: { cookie: 'session=x' } }), { message: /no keys/ })
})
