import test from 'ava'
import { startApp } from '../../support/app.js'
import { Client } from '../../support/client.js'
import { testGuides, type WithApp } from './guide.js'

const load = testGuides([
  { page: 'csrf', exports: ['app', 'forms'], replace: [['app.use(forms.routes())\n', '']] },
  { page: 'flash', exports: ['app'] },
  { page: 'one-time-tokens', exports: ['app'] }
])

test('csrf.md: a form needs the token of the session, and a login makes older tokens worthless', async (t) => {
  const { app, forms } = await load<WithApp & { forms: { routes: () => Parameters<WithApp['app']['use']>[0] } }>('csrf')
  // As the page says, the check of Sec-Fetch-Site is mounted before the routes.
  app.use(forms.routes())
  app.silent = true
  const client = new Client(await startApp(t, app))
  const tokenOf = async () => /value="([^"]+)"/.exec((await client.get('/address')).text)![1]!
  const token = await tokenOf()
  t.is((await client.post('/address', { city: 'Riga' })).status, 403)
  t.is((await client.post('/address', { city: 'Riga', _csrf: token })).text, 'saved')
  t.is((await client.post('/address', { city: 'Riga' }, { headers: { 'x-csrf-token': token } })).text, 'saved')
  t.is((await client.post('/login', { _csrf: token })).status, 302)
  t.is((await client.post('/address', { city: 'Riga', _csrf: token })).status, 403)
  const next = await tokenOf()
  t.is((await client.post('/address', { city: 'Riga', _csrf: next })).text, 'saved')
  t.is((await client.post('/address', { city: 'Riga', _csrf: next }, { headers: { 'sec-fetch-site': 'cross-site' } })).status, 403)
  t.is((await client.post('/address', { city: 'Riga', _csrf: next }, { headers: { 'sec-fetch-site': 'same-origin' } })).text, 'saved')
})

test('flash.md: parallel requests lose no message, and show each exactly once', async (t) => {
  const { app } = await load<WithApp>('flash')
  const client = new Client(await startApp(t, app))
  await client.post('/save')
  await Promise.all([client.post('/save'), client.post('/save')])
  const pages = await Promise.all(Array.from({ length: 5 }, async () => (await client.get('/')).json as { messages: string[] }))
  t.deepEqual(pages.flatMap(({ messages }) => messages), ['Saved.', 'Saved.', 'Saved.'])
  t.deepEqual((await client.get('/')).json, { messages: [] })
})

test('one-time-tokens.md: of many parallel clicks, exactly one pays', async (t) => {
  const { app } = await load<WithApp>('one-time-tokens')
  const client = new Client(await startApp(t, app))
  const { token } = (await client.get('/checkout')).json as { token: string }
  const answers = await Promise.all(Array.from({ length: 8 }, () => client.post('/order', { token })))
  t.deepEqual(answers.filter(({ status }) => status === 200).map(({ json }) => json), [{ paid: 1 }])
  t.is(answers.filter(({ status }) => status === 409).length, 7)
})
