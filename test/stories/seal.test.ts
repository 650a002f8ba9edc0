import test from 'ava'
import { inspect } from 'node:util'
import Keygrip from 'keygrip'
import { fileStore, memoryStore, session, type SessionStore } from '../../src/index.js'
import { createSid, idOf as idOfSid } from '../../src/cookie/index.js'
import { isSealed, RecordSealer } from '../../src/record/index.js'
import { sessionCookie } from '../../src/testing/session-cookie.js'
import { Client } from '../support/client.js'
import { idOf, recordEvents } from '../support/events.js'
import { tempDir } from '../support/files.js'
import { createGate } from '../support/gate.js'
import { atRest, edit, flipped, routes } from '../support/sealed.js'
import { day, minute, secret, startStory, type Options, type Routes } from '../support/story.js'

// DESIGN section 12, sentence by sentence. `seal-stores.test.ts` has the promises that concern stores, on every store.

const newer = 'a newer secret, also longer than thirty-two characters'

/** Starts an app with `seal: true` over a store in memory. */
async function start(t: Parameters<typeof startStory>[0], options: Options = {}, more: Routes = {}) {
  return startStory(t, { ...routes, ...more }, { seal: true, ...options })
}

/** Another app over the same store. */
async function restart(t: Parameters<typeof startStory>[0], story: { store: SessionStore; time: { now: () => number } }, options: Options) {
  return startStory(t, routes, { store: story.store, now: story.time.now, ...options })
}

test('values of every kind come back from a sealed session', async (t) => {
  const values = { date: new Date(0), map: new Map([['a', new Set([1n])]]), bytes: Buffer.from('tea'), nested: { list: [{ a: 'é漢🙂' }] }, url: new URL('https://example.com/') }
  const read: unknown[] = []
  const { client, errors } = await start(t, {}, {
    '/set-all': (ctx) => ctx.session.update(values),
    '/get-all': (ctx) => void read.push({ ...(ctx.session as object) })
  })
  await client.get('/set-all')
  await client.get('/get-all')
  t.deepEqual(read, [values])
  t.deepEqual(errors, [])
})

test('data is stored encrypted, each time with a fresh nonce, and the facts stay readable', async (t) => {
  const { client, store } = await start(t)
  await client.get('/set?key=cart&value=darjeeling')
  await client.get('/login?user=17')
  const one = await atRest(store, client)
  await client.get('/set?key=cart&value=assam')
  await client.get('/set?key=cart&value=darjeeling')
  const other = await atRest(store, client)
  for (const record of [one!, other!]) {
    t.like(record, { owner: '17', permanent: false, data: {} })
    t.false(/cart|darjeeling|assam/.test(JSON.stringify(record)))
    t.true(isSealed(record))
  }
  t.is(one!.sealed!.length, other!.sealed!.length)
  t.not(one!.sealed, other!.sealed)
})

test('a copy of the store with the secret opens nothing', async (t) => {
  const { client, store, origin } = await start(t)
  await client.get('/set?key=cart&value=tea')
  const stolen = (await atRest(store, client))!
  const sealer = new RecordSealer([secret])
  // The thief knows the id, and every text in the record.
  for (const guess of [stolen.id, stolen.id.slice(0, 43), stolen.write, stolen.sealed!, createSid(), '']) {
    t.is(sealer.unseal(stolen, guess), undefined)
  }
  // With the secret, the thief can sign any cookie: for the id, and for a sid of its own beside the copied text.
  const [sid, other] = [createSid(), new Client(origin)]
  await store.create(idOfSid(sid), { ...stolen, id: idOfSid(sid) })
  for (const value of [stolen.id.slice(0, 43), sid]) {
    const cookie = await cookieFor(value)
    t.deepEqual((await other.get('/get', { headers: { cookie } })).json, {})
  }
})

/** The `Cookie` header that somebody with the secret makes for a sid. */
async function cookieFor(sid: string): Promise<string> {
  return `session=${sid}.${new Keygrip([secret], 'sha256').sign(`koa-keepsake session\nsession\n${sid}`)}`
}

test('the secret and a known sid make no session without the store', async (t) => {
  const { client, store, origin } = await start(t)
  await client.get('/set?key=cart&value=tea')
  const [sid] = client.cookie('session')!.split('.') as [string]
  await store.destroy(idOfSid(sid))
  const { json, setCookie } = await new Client(origin).get('/get', { headers: { cookie: await cookieFor(sid) } })
  t.deepEqual(json, {})
  t.deepEqual(setCookie, [])
})

test('somebody who can write to the store and knows a sid, but no secret, makes no session', async (t) => {
  const { client, store, origin } = await start(t)
  await client.get('/set?key=cart&value=tea')
  const own = (await atRest(store, client))!
  // The attacker's own sid: a cookie of it verifies.
  const [sid, mac] = client.cookie('session')!.split('.') as [string, string]
  const { sealed: _, ...unsealed } = own
  const forged = [
    { ...unsealed, owner: 'admin', data: { admin: true } },
    { ...own, owner: 'admin' },
    new RecordSealer(['a secret of the attacker, of more than 32 characters']).seal({ ...unsealed, owner: 'admin', data: { admin: true } }, sid),
    { ...own, sealed: '', owner: 'admin' }
  ]
  const events = recordEvents(t)
  for (const [at, record] of forged.entries()) {
    await store.destroy(own.id)
    await store.create(own.id, record)
    const { status, json } = await new Client(origin).get('/get', { headers: { cookie: `session=${sid}.${mac}` } })
    t.is(status, 200)
    t.deepEqual(json, {}, `forgery ${at}`)
    t.is(events.splice(0).filter((event) => event.type === 'corrupt' && event.id === own.id).length, 1, `forgery ${at}`)
    t.truthy(await store.read(own.id), 'it is not deleted')
  }
})

for (const [what, change] of [
  ['its sealed text', (record) => ({ sealed: flipped(record) })],
  ['its owner', () => ({ owner: 'admin' })],
  ['its creation', ({ created }) => ({ created: created + 1 })]
] as readonly [string, Parameters<typeof edit>[2]][]) {
  test(`a sealed record of which ${what} was edited is corrupt: no session, an event and no 500`, async (t) => {
    const { client, store, errors } = await start(t)
    await client.get('/set?key=cart&value=tea')
    const id = idOf(client.cookie('session')!)
    await edit(store, client, change)
    const events = recordEvents(t)
    t.deepEqual((await client.get('/get')).json, {})
    const own = events.filter((event) => event.id === id)
    t.deepEqual(own.map(({ type }) => type), ['corrupt', 'missing'])
    t.like(own[0], { reason: 'its sealed data was edited, is not its own, or was sealed with a secret that is not among the keys' })
    t.deepEqual(errors, [])
    t.truthy(await store.read(id))
    // The client gets a new session when it sets something.
    await client.get('/set?key=cart&value=milk')
    t.deepEqual((await client.get('/get')).json, { cart: 'milk' })
    t.not(idOf(client.cookie('session')!), id)
  })
}

test("another session's data in place of a session's own is corrupt", async (t) => {
  const { client, origin, store } = await start(t)
  const other = new Client(origin)
  for (const each of [client, other]) await each.get('/login?user=17')
  await other.get('/set?key=cart&value=tea')
  const { sealed, created } = (await atRest(store, other))!
  await edit(store, client, () => ({ sealed: sealed!, created }))
  t.deepEqual((await client.get('/get')).json, {})
  t.deepEqual((await client.get('/facts')).json, { owner: null, isNew: true, id: null })
  t.deepEqual((await other.get('/get')).json, { cart: 'tea' })
})

for (const [path, expected] of [
  ['/slow', undefined],
  ['/slow-reload', { reloaded: false, data: {} }],
  ['/slow-login', undefined]
] as const) {
  test(`a record that is edited during a request to ${path} gets none of its changes, and is no 500`, async (t) => {
    const gate = createGate()
    const { client, store, errors } = await start(t, {}, {
      '/slow': async (ctx) => {
        ctx.session.set('cart', 'milk')
        await gate.pass()
      },
      '/slow-reload': async (ctx) => {
        await gate.pass()
        return { reloaded: await ctx.session.reload(), data: { ...(ctx.session as object) } }
      },
      '/slow-login': async (ctx) => {
        void ctx.session['cart']
        await gate.pass()
        await ctx.session.loginAs('17')
      }
    })
    await client.get('/set?key=cart&value=tea')
    const before = client.copy()
    const id = idOf(before.cookie('session')!)
    const events = recordEvents(t)
    const answer = client.get(path)
    await gate.reached()
    await edit(store, before, (record) => ({ sealed: flipped(record) }))
    gate.open()
    const { status, text } = await answer
    t.true(status < 300, `${status}`)
    t.true(events.some((event) => event.type === 'corrupt' && event.id === id))
    if (expected) t.deepEqual(JSON.parse(text), expected)
    // A login that meets a session which has ended keeps nothing of it.
    t.deepEqual((await client.get('/get')).json, {})
    t.deepEqual((await before.get('/get')).json, {})
    t.deepEqual(errors, [])
  })
}

test('after a key rotation, older secrets open, and the next write seals under the newest', async (t) => {
  const story = await start(t)
  const { client, store } = story
  await client.get('/set?key=cart&value=tea')
  const rotated = await restart(t, story, { seal: true, keys: [newer, secret] })
  const only = await restart(t, story, { seal: true, keys: [newer] })
  const tab = client.at(rotated.origin)
  const before = await atRest(store, tab)
  t.deepEqual((await tab.get('/get')).json, { cart: 'tea' })
  t.is(new RecordSealer([newer]).unseal((await atRest(store, tab))!, sidOf(tab))?.data['cart'], 'tea', 'the new cookie of a rotation is a write')
  t.not((await atRest(store, tab))!.sealed, before!.sealed)
  t.deepEqual((await tab.at(only.origin).get('/get')).json, { cart: 'tea' })
})

function sidOf(client: Client): string {
  return client.cookie('session')!.split('.')[0]!
}

test('keys that an application changes while it runs are used at once', async (t) => {
  const { client, app, store } = await start(t)
  await client.get('/set?key=cart&value=tea')
  app.keys = [newer, secret]
  await client.get('/set?key=cart&value=milk')
  t.deepEqual(new RecordSealer([newer]).unseal((await atRest(store, client))!, sidOf(client))?.data, { cart: 'milk' })
  app.keys.pop()
  t.deepEqual((await client.get('/get')).json, { cart: 'milk' })
})

test('a session whose secret was removed is no session, and no 500', async (t) => {
  const story = await start(t, { signed: false, keys: [secret] })
  await story.client.get('/set?key=cart&value=tea')
  const other = await restart(t, story, { seal: true, signed: false, keys: [newer] })
  t.deepEqual((await story.client.at(other.origin).get('/get')).json, {})
  t.deepEqual(other.errors, [])
})

test("seal: 'migrate' reads earlier records, and seals each at its next write", async (t) => {
  const story = await startStory(t, routes)
  const { client, store, time } = story
  await client.get('/set?key=cart&value=tea')
  await client.get('/login?user=17')
  const reader = new Client(story.origin)
  await reader.get('/set?key=cart&value=milk')
  const migrating = await restart(t, story, { seal: 'migrate' })
  const [tab, other] = [client.at(migrating.origin), reader.at(migrating.origin)]
  t.deepEqual((await tab.get('/get')).json, { cart: 'tea' })
  t.false(isSealed((await atRest(store, tab))!), 'a read writes nothing')
  await tab.get('/add')
  t.like(await atRest(store, tab), { owner: '17', data: {} })
  t.true(isSealed((await atRest(store, tab))!))
  t.deepEqual((await tab.get('/get')).json, { cart: 'tea', count: 1 })
  // The refresh of a deadline is a write too.
  time.pass(minute)
  await other.get('/get')
  t.true(isSealed((await atRest(store, other))!))
  const sealing = await restart(t, story, { seal: true })
  t.deepEqual((await tab.at(sealing.origin).get('/get')).json, { cart: 'tea', count: 1 })
  t.deepEqual((await other.at(sealing.origin).get('/get')).json, { cart: 'milk' })
})

test('seal: true refuses records that are not sealed, and leaves them in the store', async (t) => {
  const story = await startStory(t, routes)
  const { client, store } = story
  await client.get('/set?key=cart&value=tea')
  const id = idOf(client.cookie('session')!)
  const sealing = await restart(t, story, { seal: true })
  const events = recordEvents(t)
  t.deepEqual((await client.at(sealing.origin).get('/get')).json, {})
  t.like(events.find((event) => event.type === 'corrupt' && event.id === id), { reason: "it is not sealed, but the option seal is true: 'migrate' reads earlier records" })
  t.deepEqual((await store.read(id))?.data, { cart: 'tea' })
})

test('without seal, a sealed session is a 503 and not "no session", so that servers can be restarted one by one', async (t) => {
  const story = await start(t)
  const { client, store } = story
  await client.get('/set?key=cart&value=tea')
  const before = await atRest(store, client)
  const other = await restart(t, story, {})
  const tab = client.at(other.origin)
  for (const path of ['/get', '/set?key=cart&value=milk', '/login?user=17']) {
    const { status, setCookie } = await tab.get(path)
    t.is(status, 503, path)
    t.deepEqual(setCookie, [])
  }
  t.like(other.errors[0], { code: 'ERR_SESSION_STORE', message: "a stored session is sealed, but this session() is not: give it the option seal, true or 'migrate'" })
  t.is(await atRest(store, client), before)
  const anonymous = await restart(t, story, { onStoreError: 'anonymous' })
  t.deepEqual((await client.at(anonymous.origin).get('/get')).json, {})
  t.deepEqual((await client.get('/get')).json, { cart: 'tea' })
})

test('a record that is sealed while a request without seal is in progress keeps its data', async (t) => {
  const gate = createGate()
  const story = await startStory(t, {
    ...routes,
    '/slow': async (ctx) => {
      ctx.session.set('late', 1)
      await gate.pass()
    }
  })
  const { client } = story
  await client.get('/set?key=cart&value=tea')
  const migrating = await restart(t, story, { seal: 'migrate' })
  const slow = client.get('/slow')
  await gate.reached()
  await client.at(migrating.origin).get('/set?key=cart&value=milk')
  gate.open()
  t.is((await slow).status, 503)
  t.deepEqual((await client.at(migrating.origin).get('/get')).json, { cart: 'milk' })
})

test('find() and the lists show that data is sealed, and read() shows the data', async (t) => {
  const store = memoryStore()
  const sealed = session({ store, keys: [secret], seal: true })
  const plain = session({ store, keys: [secret] })
  const migrating = session({ store, keys: [secret], seal: 'migrate' })
  const cookie = await sessionCookie({ cart: 'tea' }, { store, keys: [secret], seal: true }, '17')
  await sessionCookie({ cart: 'milk' }, { store, keys: [secret] }, '17')
  const id = idOf(cookie.slice('session='.length))
  t.like(await sealed.find(id), { id, owner: '17', data: 'sealed' })
  t.deepEqual((await list(sealed.ownedBy('17'))).map(({ data }) => data), ['sealed'])
  t.deepEqual((await list(sealed.all())).map(({ data }) => data), ['sealed'])
  t.is(await sealed.count(), 1, 'a record that no request could open is not counted')
  t.deepEqual((await list(migrating.all())).map(({ data }) => JSON.stringify(data)).toSorted(compare), ['"sealed"', '{"cart":"milk"}'])
  t.deepEqual((await sealed.read({ headers: { cookie } }))?.data, { cart: 'tea' })
  t.is(await sealed.read({ headers: { cookie: await cookieFor(createSid()) } }), undefined)
  // Without the option, a list is an error: it would pass over sessions, or show them without their data.
  await t.throwsAsync(plain.find(id), { code: 'ERR_SESSION_STORE', message: /is sealed/ })
  await t.throwsAsync(plain.read({ headers: { cookie } }), { code: 'ERR_SESSION_STORE', message: /is sealed/ })
  await t.throwsAsync(list(plain.all()), { code: 'ERR_SESSION_STORE', message: /is sealed/ })
  t.is(await plain.endOwnedBy('17'), 2)
})

test('sessions.read() needs keys if it has to unseal', async (t) => {
  const sessions = session({ store: memoryStore(), signed: false, seal: true })
  await t.throwsAsync(sessions.read({ headers: {} }), { code: 'ERR_SESSION_KEYS', message: /option keys/ })
})

function compare(one: string, other: string): number {
  return one < other ? -1 : 1
}

async function list<T>(infos: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = []
  for await (const info of infos) all.push(info)
  return all
}

for (const path of ['/regenerate', '/login?user=17']) {
  test(`${path}: the data is sealed under the new sid, with what another request has saved meanwhile`, async (t) => {
    const gate = createGate()
    const { client, store } = await start(t, {}, {
      '/slow': async (ctx) => {
        void ctx.session['cart']
        await gate.pass()
        if (path === '/regenerate') await ctx.session.regenerate()
        else await ctx.session.loginAs('17')
        ctx.session.set('after', 'yes')
      }
    })
    await client.get('/set?key=cart&value=tea')
    const before = client.copy()
    const slow = client.get('/slow')
    await gate.reached()
    await before.get('/set?key=meanwhile&value=yes')
    gate.open()
    t.is((await slow).status, 204)
    t.deepEqual((await client.get('/get')).json, { cart: 'tea', meanwhile: 'yes', after: 'yes' })
    const record = (await atRest(store, client))!
    t.true(isSealed(record))
    t.is(new RecordSealer([secret]).unseal(record, sidOf(before)), undefined)
    t.deepEqual((await before.get('/get')).json, {})
    const marker = (await atRest(store, before))!
    t.like(marker, { moved: true, movedTo: record.id, data: {} })
    t.false(isSealed(marker))
  })
}

test('a slow logout ends the session of its user that has got a new sid meanwhile', async (t) => {
  const gate = createGate()
  const { client } = await start(t, {}, {
    '/slow-logout': async (ctx) => {
      void ctx.session['cart']
      await gate.pass()
      await ctx.session.destroy()
    }
  })
  await client.get('/login?user=17')
  const late = client.copy().get('/slow-logout')
  await gate.reached()
  await client.get('/regenerate')
  gate.open()
  t.is((await late).status, 204)
  t.deepEqual((await client.get('/facts')).json, { owner: null, isNew: true, id: null })
})

test('take(), increment(), polling and reload() work on sealed sessions', async (t) => {
  const seen: unknown[] = []
  const { client, store, time } = await start(t, {}, {
    '/poll': (ctx) => {
      ctx.session.polling = true
      return { ...(ctx.session as object) }
    },
    '/reload': async (ctx) => {
      ctx.session.set('own', 1)
      await copy.get('/set?key=cart&value=milk')
      seen.push(await ctx.session.reload(), { ...(ctx.session as object) })
    }
  })
  await client.get('/set?key=state&value=once')
  await client.get('/set?key=cart&value=tea')
  const copy = client.copy()
  const taken = await Promise.all(Array.from({ length: 8 }, async () => (await client.get('/take?key=state')).json))
  t.deepEqual(taken.filter((each) => (each as { taken: unknown }).taken !== null), [{ taken: 'once' }])
  await Promise.all(Array.from({ length: 20 }, () => client.get('/add')))
  t.deepEqual((await client.get('/get')).json, { cart: 'tea', count: 20 })
  const { rev } = (await atRest(store, client))!
  time.pass(minute)
  t.deepEqual((await client.get('/poll')).json, { cart: 'tea', count: 20 })
  t.is((await atRest(store, client))!.rev, rev)
  await client.get('/reload')
  t.deepEqual(seen, [true, { cart: 'milk', count: 20, own: 1 }])
  t.deepEqual((await client.get('/get')).json, { cart: 'milk', count: 20, own: 1 })
})

test('a read of a sealed session writes nothing', async (t) => {
  const { client, store } = await start(t)
  await client.get('/set?key=cart&value=tea')
  store.calls.length = 0
  await client.get('/get')
  t.is(store.said, 'read')
})

test("maxBytes counts the data before it is sealed, and the largest session is read again", async (t) => {
  const { client, store, errors } = await start(t, { maxBytes: 2_000 })
  await client.get(`/set?key=text&value=${'x'.repeat(1_700)}`)
  t.deepEqual((await client.get('/get')).json, { text: 'x'.repeat(1_700) })
  t.true(JSON.stringify(await atRest(store, client)).length > 2_000)
  t.is((await client.get(`/set?key=text&value=${'x'.repeat(2_000)}`)).status, 500)
  t.like(errors[0], { code: 'ERR_SESSION_TOO_LARGE' })
  t.is(((await client.get('/get')).json as { text: string }).text.length, 1_700)
})

test('a new sid keeps what two requests have saved, also if both together are larger than maxBytes', async (t) => {
  const gate = createGate()
  const { client, errors } = await start(t, { maxBytes: 2_000, store: fileStore({ dir: tempDir(t) }) }, {
    '/slow': async (ctx) => {
      ctx.session.set('one', 'x'.repeat(1_500))
      await gate.pass()
      await ctx.session.regenerate()
    }
  })
  await client.get('/set?key=cart&value=tea')
  const other = client.copy()
  const slow = client.get('/slow')
  await gate.reached()
  await other.get(`/set?key=other&value=${'y'.repeat(1_500)}`)
  gate.open()
  t.is((await slow).status, 204)
  t.deepEqual((await client.get('/get')).json, { cart: 'tea', one: 'x'.repeat(1_500), other: 'y'.repeat(1_500) })
  t.deepEqual(errors, [])
})

test('a session of an earlier library is moved into a sealed one', async (t) => {
  const { client, store } = await start(t, {
    migrate: { name: 'old', until: new Date(Date.UTC(2026, 0, 1) + day), read: () => ({ data: { cart: 'tea' }, owner: '17' }) }
  })
  t.deepEqual((await client.get('/get')).json, { cart: 'tea' })
  t.true(isSealed((await atRest(store, client))!))
  t.deepEqual((await client.get('/get')).json, { cart: 'tea' })
})

test('a ready Keygrip is refused together with seal, at the call or with the first request', async (t) => {
  const keys = new Keygrip([secret], 'sha256')
  const refused = { code: 'ERR_SESSION_KEYS', message: /seal needs the secrets themselves, but a ready Keygrip hides them: set keys \(or app\.keys\) to the array/ }
  t.throws(() => session({ store: memoryStore(), keys, seal: true }), refused)
  t.throws(() => session({ store: memoryStore(), keys, seal: 'migrate' }), refused)
  const { app, client, errors } = await start(t)
  app.keys = keys
  t.is((await client.get('/get')).status, 500)
  t.like(errors[0], { code: refused.code })
  t.regex(errors[0]!.message, refused.message)
})

test('a wrong value of seal is refused', (t) => {
  for (const seal of ['yes', 1, null, 'true']) {
    t.throws(() => session({ store: memoryStore(), seal } as Options), { instanceOf: TypeError, message: /^session\(options\): seal must be true, false or 'migrate'/ })
  }
})

test('no error and no event shows a sid or a secret', async (t) => {
  const events = recordEvents(t)
  const { client, store, errors } = await start(t)
  await client.get('/set?key=cart&value=tea')
  const [sid, id] = [sidOf(client), idOf(client.cookie('session')!)]
  await edit(store, client, (record) => ({ sealed: flipped(record) }))
  await client.get('/get')
  const texts = [...events.filter((event) => event.id === id), ...errors].map((each) => inspect(each))
  t.true(texts.length > 2)
  for (const text of texts) t.false(text.includes(sid) || text.includes(secret))
})
