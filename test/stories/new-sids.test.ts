import test from 'ava'
import { memoryStore, session, type SessionStore } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createGate, type Gate } from '../support/gate.js'
import { createApp, hour, routesOf, startStory, type Routes } from '../support/story.js'

const later = <T>(value: T) => new Promise<T>((resolve) => void setImmediate(resolve, value))

// Requests that meet a session under its new sid: a marker names it for a minute.

const routesWith = (gate: Gate): Routes => ({
  '/login': (ctx) => ctx.session.loginAs('momo'),
  '/set': (ctx) => ctx.session.set('cart', ['tea']),
  '/regenerate': (ctx) => ctx.session.regenerate(),
  '/logout': (ctx) => ctx.session.destroy(),
  '/slow-regenerate': async (ctx) => {
    void ctx.session.get('cart')
    await gate.pass()
    await ctx.session.regenerate()
  },
  '/slow-logout': async (ctx) => {
    void ctx.session.get('cart')
    await gate.pass()
    await ctx.session.destroy()
  },
  '/remember': (ctx) => {
    ctx.session.permanent = true
    ctx.session.lifetime = hour
    ctx.session.set('b', 2)
  },
  '/': (ctx) => ({ owner: ctx.session.owner ?? null, data: ctx.session })
})

test('a late regenerate() does not bring a session back that was ended under its new sid', async (t) => {
  const gate = createGate()
  const { client, record } = await startStory(t, routesWith(gate))
  await client.get('/login')
  await client.get('/set')
  const late = client.copy()
  const slow = late.get('/slow-regenerate')
  await gate.reached()
  await client.get('/regenerate')
  await client.get('/logout')
  gate.open()
  t.is((await slow).status, 204)
  t.deepEqual((await late.get('/')).json, { owner: null, data: {} })
  t.is(await record(late), undefined)
})

test('a user who logs out while another request gives the session a new sid is logged out there too', async (t) => {
  const gate = createGate()
  const { client, record } = await startStory(t, routesWith(gate))
  await client.get('/login')
  const other = client.copy()
  const logout = client.get('/slow-logout')
  await gate.reached()
  await other.get('/regenerate')
  gate.open()
  t.is((await logout).status, 204)
  t.is(await record(other), undefined)
  t.deepEqual((await other.get('/')).json, { owner: null, data: {} })
})

test('somebody who knows the sid of a visitor cannot log out the user whom the visitor became', async (t) => {
  const gate = createGate()
  const { client, record } = await startStory(t, routesWith(gate))
  await client.get('/set')
  const thief = client.copy()
  const late = client.copy()
  const logout = thief.get('/slow-logout')
  await gate.reached()
  await client.get('/login')
  gate.open()
  await logout
  t.is((await record())?.owner, 'momo')
  t.deepEqual((await late.get('/set')).setCookie, [], 'the marker is still there')
})

test('sessions.end and sessions.endOwnedBy end a session that gets a new sid at that moment', async (t) => {
  let beforeDestroy: (() => Promise<unknown>) | undefined
  const inner = memoryStore()
  const store: SessionStore = {
    ...inner,
    destroy: async (id) => {
      const work = beforeDestroy
      beforeDestroy = undefined
      await work?.()
      return inner.destroy(id)
    },
    scope: () => store
  }
  const sessions = session({ store })
  const client = new Client(await startApp(t, createApp().use(sessions).use(routesOf(routesWith(createGate())))))
  const regenerates = () => client.get('/regenerate')
  await client.get('/login')
  beforeDestroy = regenerates
  t.is(await sessions.endOwnedBy('momo'), 1)
  t.deepEqual((await client.get('/')).json, { owner: null, data: {} })
  await client.get('/login')
  for await (const { id } of sessions.ownedBy('momo')) {
    beforeDestroy = regenerates
    t.true(await sessions.end(id))
  }
  t.deepEqual((await client.get('/')).json, { owner: null, data: {} })
})

test('regenerate() carries over permanent and lifetime that another request has set meanwhile', async (t) => {
  const gate = createGate()
  const { client, record } = await startStory(t, routesWith(gate))
  await client.get('/set')
  const slow = client.get('/slow-regenerate')
  await gate.reached()
  await client.copy().get('/remember')
  gate.open()
  t.is((await slow).status, 204)
  const { permanent, lifetime, data } = (await record())!
  t.deepEqual([permanent, lifetime, data], [true, hour, { cart: ['tea'], b: 2 }])
})

test('a login of a new visitor that fails and that nobody awaits fails the request, and nothing is stored', async (t) => {
  const { client, store } = await startStory(t, {
    '/': (ctx) => {
      void ctx.session.loginAs('momo')
      ctx.session.set('a', 1)
      ctx.body = 'welcome'
    }
  })
  store.fault = ({ method }, number) => (method === 'create' && number === 1 ? Promise.reject(new Error('down')) : undefined)
  const { status, setCookie } = await client.get('/')
  t.deepEqual([status, setCookie], [503, []])
  t.is(store.said, 'create')
})

test('endOthers() runs after the calls before it, and a failure that nobody awaits fails the request', async (t) => {
  const inner = memoryStore()
  let isDown = false
  const store: SessionStore = {
    read: async (id) => later(await inner.read(id)),
    create: async (id, record) => later(await inner.create(id, record)),
    update: async (id, recipe, seen) => later(await inner.update(id, recipe, seen)),
    destroy: async (id) => (isDown ? Promise.reject(new Error('down')) : later(await inner.destroy(id))),
    ownedBy: (owner) => inner.ownedBy!(owner),
    scope: () => store
  }
  const app = createApp()
  app.silent = true
  app.use(session({ store })).use(
    routesOf({
      ...routesWith(createGate()),
      '/both': async (ctx) => {
        const [ended] = await Promise.all([ctx.session.endOthers(), ctx.session.regenerate()])
        return { ended }
      },
      '/both-later': async (ctx) => {
        const [, ended] = await Promise.all([ctx.session.regenerate(), ctx.session.endOthers()])
        return { ended }
      },
      '/unseen': (ctx) => {
        void ctx.session.endOthers()
        ctx.body = 'others ended'
      }
    })
  )
  const origin = await startApp(t, app)
  const [phone, laptop] = [new Client(origin), new Client(origin)]
  for (const path of ['/both', '/both-later']) {
    await phone.get('/login')
    await laptop.get('/login')
    t.deepEqual((await laptop.get(path)).json, { ended: 1 })
    t.is(((await laptop.get('/')).json as { owner: unknown }).owner, 'momo', 'the own session stays')
    t.is(((await phone.get('/')).json as { owner: unknown }).owner, null)
  }
  await phone.get('/login')
  isDown = true
  t.is((await laptop.get('/unseen')).status, 503)
})

test('change() may return null', async (t) => {
  const { client, record } = await startStory(t, { '/': (ctx) => ctx.session.change('a', () => null) })
  t.true((await client.get('/')).status < 300)
  t.deepEqual((await record())?.data, { a: null })
})
