import test from 'ava'
import supertest from 'supertest'
import { memoryStore, session } from '../../src/index.js'
import { sessionCookie } from '../../src/testing/index.js'
import { createApp, routesOf } from '../support/story.js'

function create() {
  const store = memoryStore()
  const app = createApp()
  app.use(session({ store })).use(
    routesOf({
      '/login': (ctx) => ctx.session.loginAs('momo'),
      '/me': (ctx) => ({ owner: ctx.session.owner ?? null, theme: ctx.session.get('theme', null) }),
      '/logout': (ctx) => ctx.session.destroy()
    })
  )
  return { app, store }
}

test('an agent of supertest logs in, stays logged in and logs out', async (t) => {
  const agent = supertest.agent(create().app.callback())
  await agent.post('/login').expect(204)
  t.deepEqual((await agent.get('/me').expect(200)).body, { owner: 'momo', theme: null })
  await agent.post('/logout').expect(204)
  t.deepEqual((await agent.get('/me')).body, { owner: null, theme: null })
})

test('sessionCookie() starts a request of supertest logged in, without the login form', async (t) => {
  const { app, store } = create()
  const cookie = await sessionCookie({ theme: 'dark' }, { store, keys: app.keys }, 'momo')
  t.deepEqual((await supertest(app.callback()).get('/me').set('Cookie', cookie)).body, { owner: 'momo', theme: 'dark' })
})
