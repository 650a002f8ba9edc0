import test from 'ava'
import type Koa from 'koa'
import { startApp } from '../../support/app.js'
import { Client } from '../../support/client.js'
import { testGuides, type WithApp } from './guide.js'

const load = testGuides([
  { page: 'login-and-logout', exports: ['app'] },
  { page: 'passport', exports: ['app', 'classic'] }
])

test('login-and-logout.md: a login leads back to the page, remembers the user if asked to, and a logout ends it', async (t) => {
  const { app } = await load<WithApp>('login-and-logout')
  const client = new Client(await startApp(t, app))
  t.is((await client.post('/login', { name: 'momo', password: 'coffee' })).status, 401)
  t.is((await client.get('/account?tab=2')).headers.location, '/')
  const before = client.copy()
  t.is((await client.post('/login', { name: 'momo', password: 'tea', remember: 'on' })).headers.location, '/account?tab=2')
  t.truthy(client.cookies[0]?.expires, 'the cookie outlives the browser')
  t.is((await client.get('/account')).text, 'the account of momo')
  t.is((await before.get('/')).text, 'hello', 'the id from before the login is worth nothing')
  t.is((await client.post('/logout')).status, 302)
  t.is((await client.get('/')).text, 'hello')
})

const momo = { username: 'momo', password: 'tea' }

for (const name of ['app', 'classic'] as const) {
  test.serial(`passport.md: ${name} logs in and out, and refuses a wrong password`, async (t) => {
    const apps = await load<{ app: Koa; classic: Koa }>('passport')
    const client = new Client(await startApp(t, apps[name]))
    t.is((await client.post('/login', { ...momo, password: 'coffee' })).status, 401)
    t.is((await client.get('/me')).text, 'nobody')
    t.is((await client.post('/login', momo)).status, 204)
    t.is((await client.get('/me')).text, 'momo')
    t.is((await client.post('/login', { username: 'lin', password: 'tea' })).status, 204)
    t.is((await client.get('/me')).text, 'lin')
    t.is((await client.post('/logout')).status, 204)
    t.is((await client.get('/me')).text, 'nobody')
  })
}
