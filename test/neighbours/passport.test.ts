import { bodyParser } from '@koa/bodyparser'
import test from 'ava'
import type { KoaPassport, PassportContext } from 'koa-passport'
import { Strategy } from 'passport-local'
import { memoryStore, session } from '../../src/index.js'
import { startApp, type Cleanup } from '../support/app.js'
import { Client } from '../support/client.js'
import { idOf } from '../support/events.js'
import { watchStore } from '../support/store.js'
import { createApp, routesOf } from '../support/story.js'
import { loadPassports } from './koa-passport.js'

const { versions, remove } = loadPassports()
test.after.always(remove)

interface User {
  readonly id: string
  readonly name: string
}
const users: readonly User[] = [{ id: '17', name: 'momo' }, { id: '18', name: 'lin' }]

/** An application with koa-passport and passport-local, whose users all have the password "tea". */
async function start(t: Cleanup, Passport: typeof KoaPassport) {
  const passport = new Passport()
  passport.use(new Strategy((name, password, done) => done(null, password === 'tea' && (users.find((user) => user.name === name) ?? false))))
  passport.serializeUser<User>((user, done) => done(null, user.id))
  passport.deserializeUser<User>((id, done) => done(null, users.find((user) => user.id === id) ?? false))
  const store = watchStore(memoryStore())
  const app = createApp()
  app.silent = true
  app.use(session({ store })).use(bodyParser()).use(passport.initialize()).use(passport.session())
  app.use(async (ctx, next) => {
    if (ctx.path === '/login') return passport.authenticate('local')(ctx, next)
    if (ctx.path === '/keep') return passport.authenticate('local', { keepSessionInfo: true })(ctx, next)
    if (ctx.path !== '/custom') return next()
    return passport.authenticate('local', async (_error, user) => {
      if (!user) return ctx.throw(401)
      ctx.session.clear()
      await (ctx as PassportContext).login(user)
      ctx.status = 204
      return undefined
    })(ctx, next)
  })
  app.use(
    routesOf({
      '/login': () => undefined,
      '/keep': () => undefined,
      '/add': (ctx) => void ctx.session.change('cart', (cart: string[] = []) => [...cart, 'tea']),
      '/me': (ctx) => ({ user: (ctx.state['user'] as User | undefined)?.name ?? null, cart: ctx.session.get('cart', null), isIn: (ctx as PassportContext).isAuthenticated() }),
      '/logout': async (ctx) => (ctx as PassportContext).logout(),
      '/logout-keep': async (ctx) => (ctx as PassportContext).logout({ keepSessionInfo: true }),
      '/destroy': async (ctx) => ctx.session.destroy(),
      '/slow': async (ctx) => {
        await client.copy().get('/logout')
        ctx.session.set('late', true)
      }
    })
  )
  const client = new Client(await startApp(t, app))
  return { client, store }
}

const momo = { username: 'momo', password: 'tea' }
const nobody = { user: null, cart: null, isIn: false }

for (const [version, Passport] of versions) {
  test(`${version}: a login keeps the user logged in, under a new sid`, async (t) => {
    const { client, store } = await start(t, Passport)
    await client.get('/add')
    const before = client.cookie('session')!
    t.is((await client.post('/login', momo)).status, 204)
    const after = client.cookie('session')!
    t.not(before.split('.')[0], after.split('.')[0])
    for (let time = 1; time <= 2; time++) t.deepEqual((await client.get('/me')).json, { user: 'momo', cart: ['tea'], isIn: true })
    const thief = new Client(client.origin)
    thief.keep(`session=${before}; Path=/`)
    t.deepEqual((await thief.get('/me')).json, nobody, 'the sid from before the login is worth nothing')
    t.deepEqual((await store.peek(idOf(after)))?.data['passport'], { user: '17' })
  })

  test(`${version}: a wrong password is 401, and neither logs in nor changes the session`, async (t) => {
    const { client } = await start(t, Passport)
    await client.get('/add')
    const before = client.cookie('session')
    for (const wrong of [{ username: 'momo', password: 'coffee' }, { username: 'nobody', password: 'tea' }]) t.is((await client.post('/login', wrong)).status, 401)
    t.is((await client.post('/login', {})).status, 400)
    t.is(client.cookie('session'), before)
    t.deepEqual((await client.get('/me')).json, { user: null, cart: ['tea'], isIn: false })
  })

  for (const path of ['/logout', '/logout-keep']) {
    test(`${version}: a logout ends the login: ${path}`, async (t) => {
      const { client } = await start(t, Passport)
      await client.get('/add')
      await client.post('/login', momo)
      const before = client.copy()
      t.is((await client.get(path)).status, 204)
      t.deepEqual((await client.get('/me')).json, { user: null, cart: ['tea'], isIn: false })
      t.deepEqual((await before.get('/me')).json, nobody, 'a copied cookie is worth nothing after the logout')
    })
  }

  test(`${version}: keepSessionInfo keeps the data of the session, nested values too`, async (t) => {
    const { client } = await start(t, Passport)
    await client.get('/add')
    await client.get('/add')
    t.is((await client.post('/keep', momo)).status, 204)
    t.deepEqual((await client.get('/me')).json, { user: 'momo', cart: ['tea', 'tea'], isIn: true })
  })

  test(`${version}: clear() before ctx.login(), and destroy() instead of ctx.logout(), leave nothing of one user to the next`, async (t) => {
    const { client } = await start(t, Passport)
    await client.get('/add')
    t.is((await client.post('/custom', momo)).status, 204)
    t.deepEqual((await client.get('/me')).json, { user: 'momo', cart: null, isIn: true })
    await client.get('/add')
    t.is((await client.post('/custom', { username: 'lin', password: 'tea' })).status, 204)
    t.deepEqual((await client.get('/me')).json, { user: 'lin', cart: null, isIn: true })
    await client.get('/add')
    t.is((await client.get('/destroy')).status, 204)
    t.deepEqual((await client.get('/me')).json, nobody)
    t.is((await client.post('/custom', { username: 'lin', password: 'coffee' })).status, 401)
  })

  test(`${version}: a slow request beside a logout of Passport does not bring the user back`, async (t) => {
    const { client } = await start(t, Passport)
    await client.post('/login', momo)
    t.is((await client.get('/slow')).status, 204)
    t.deepEqual((await client.get('/me')).json, nobody)
  })

  test(`${version}: a failure of the store is the error of the login and of the logout, and nobody waits`, async (t) => {
    const { client, store } = await start(t, Passport)
    store.fault = ({ method }) => (method === 'create' ? Promise.reject(new Error('the disk is full')) : undefined)
    t.is((await client.post('/login', momo)).status, 503)
    store.fault = undefined
    t.is((await client.post('/login', momo)).status, 204)
    store.fault = ({ method }) => (method === 'update' ? Promise.reject(new Error('the disk is full')) : undefined)
    t.is((await client.get('/logout')).status, 503)
    store.fault = undefined
    t.deepEqual((await client.get('/me')).json, { user: 'momo', cart: null, isIn: true })
  })
}
