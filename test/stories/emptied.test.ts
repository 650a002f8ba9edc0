import test from 'ava'
import type { Context } from 'koa'
import { readSetCookie } from '../support/client.js'
import { createGate } from '../support/gate.js'
import { startStory, type Handler, type Options } from '../support/story.js'

const set: Handler = (ctx) => ctx.session.update({ user: 'momo', cart: ['tea'] })

const emptyings: Record<string, Handler> = {
  'clear()': (ctx) => ctx.session.clear(),
  'deleting every key': (ctx) => {
    for (const key of Object.keys(ctx.session)) delete ctx.session[key]
  },
  'popping every key': (ctx) => {
    ctx.session.pop('user')
    ctx.session.pop('cart')
  },
  'ctx.session = null': (ctx) => void (ctx.session = null),
  'ctx.session = {}': (ctx) => void (ctx.session = {}),
  'destroy()': (ctx) => ctx.session.destroy()
}

for (const [what, handler] of Object.entries(emptyings)) {
  test(`${what} takes record and cookie away`, async (t) => {
    const { client, record } = await startStory(t, { '/set': set, '/': handler })
    await client.get('/set')
    const thief = client.copy()
    const { setCookie } = await client.get('/')
    t.is(setCookie.length, 1)
    t.is(client.cookie('session'), undefined)
    t.is(await record(thief), undefined)
  })
}

const deletions: Record<string, Options['cookie']> = {
  'the defaults': {},
  'a domain and a path': { domain: 'example.test', path: '/shop' },
  'secure and sameSite none': { secure: true, sameSite: 'none' },
  'sameSite strict, readable by scripts': { sameSite: 'strict', httpOnly: false },
  'partitioned': { secure: true, partitioned: true },
  'a priority': { priority: 'high' }
}

for (const [what, cookie] of Object.entries(deletions)) {
  test(`the deletion of a cookie repeats the attributes it was set with: ${what}`, async (t) => {
    const routes = { '/shop/set': set, '/shop/clear': (ctx: Context) => ctx.session.clear() }
    const { client } = await startStory(t, routes, { ...(cookie && { cookie }), https: true, host: 'example.test' })
    const set1 = await client.get('/shop/set')
    const cleared = await client.get('/shop/clear')
    const { value, ...attributes } = readSetCookie(set1.setCookie[0]!)
    const { value: none, expires, 'max-age': age, ...repeated } = readSetCookie(cleared.setCookie[0]!)
    t.not(value, '')
    t.is(none, '')
    t.true(age === '0' || Date.parse(String(expires)) < Date.UTC(1971, 0, 1))
    t.deepEqual(repeated, attributes)
    t.is(client.cookie('session'), undefined)
  })
}

test('the deletion of a permanent cookie repeats its attributes too', async (t) => {
  const { client } = await startStory(t, { '/set': set, '/clear': (ctx) => ctx.session.clear() }, { permanent: true })
  await client.get('/set')
  t.truthy(client.cookie('session'))
  await client.get('/clear')
  t.is(client.cookie('session'), undefined)
})

test('an emptied session that is set again within the request keeps its record and its cookie', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': set,
    '/again': (ctx) => {
      ctx.session.clear()
      ctx.session.user = 'lin'
    }
  })
  await client.get('/set')
  const { setCookie } = await client.get('/again')
  t.deepEqual(setCookie, [])
  t.deepEqual((await record())?.data, { user: 'lin' })
})

test('clear() keeps permanent when something is set afterwards', async (t) => {
  const { client, record } = await startStory(t, {
    '/set': (ctx) => {
      ctx.session.user = 'momo'
      ctx.session.permanent = true
    },
    '/again': (ctx) => {
      ctx.session.clear()
      ctx.session.user = 'lin'
    }
  })
  await client.get('/set')
  await client.get('/again')
  t.true((await record())?.permanent)
})

test('no cookie is cleared when the client sent none', async (t) => {
  const { client } = await startStory(t, { '/': (ctx) => ctx.session.destroy() })
  t.deepEqual((await client.get('/')).setCookie, [])
})

test('a key that another request sets while this one empties the session survives', async (t) => {
  const gate = createGate()
  const { client, record } = await startStory(t, {
    '/set': set,
    '/slow-empty': async (ctx) => {
      for (const key of Object.keys(ctx.session)) delete ctx.session[key]
      await gate.pass()
    },
    '/flash': (ctx) => void (ctx.session.flash = 'hi')
  })
  await client.get('/set')
  const emptying = client.get('/slow-empty')
  await gate.reached()
  await client.get('/flash')
  gate.open()
  t.deepEqual((await emptying).setCookie, [])
  t.deepEqual((await record())?.data, { flash: 'hi' })
})
