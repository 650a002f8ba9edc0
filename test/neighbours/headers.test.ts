import cors from '@koa/cors'
import test from 'ava'
import compress from 'koa-compress'
import helmet from 'koa-helmet'
import { memoryStore, session } from '../../src/index.js'
import { startApp } from '../support/app.js'
import { Client } from '../support/client.js'
import { createApp, routesOf } from '../support/story.js'

const origin = 'https://shop.example'
const fieldsOf = (vary: string | undefined) => (vary ?? '').split(/, */).toSorted()

for (const order of ['before', 'after'] as const) {
  test(`koa-helmet, @koa/cors and koa-compress ${order} session(): each header is there, and Vary has each field once`, async (t) => {
    const app = createApp()
    app.silent = true
    const neighbours = [helmet(), cors({ origin, credentials: true }), compress({ threshold: 100 })]
    const all = order === 'before' ? [...neighbours, session({ store: memoryStore() })] : [session({ store: memoryStore() }), ...neighbours]
    for (const middleware of all) app.use(middleware)
    app.use(
      routesOf({
        '/add': (ctx) => ({ cart: ctx.session.change('cart', (cart: string[] = []) => [...cart, 'tea'.repeat(100)]) }),
        '/wrong': (ctx) => {
          ctx.session.increment('attempts')
          ctx.throw(401)
        },
        '/attempts': (ctx) => ({ attempts: ctx.session.get('attempts') }),
        '/nothing': () => ({})
      })
    )
    const client = new Client(await startApp(t, app))
    const headers = { origin, 'accept-encoding': 'gzip' }
    const added = await client.get('/add', { headers })
    t.is(added.setCookie.length, 1)
    t.is(added.headers['content-encoding'], 'gzip')
    t.is(added.headers['access-control-allow-credentials'], 'true')
    t.truthy(added.headers['content-security-policy'])
    t.is(added.headers['cache-control'], 'no-store')
    t.deepEqual(fieldsOf(added.headers.vary), ['Accept-Encoding', 'Cookie', 'Origin'])

    const wrong = await client.get('/wrong', { headers })
    t.is(wrong.status, 401)
    t.true(fieldsOf(wrong.headers.vary).includes('Cookie'))
    t.deepEqual(fieldsOf(wrong.headers.vary), [...new Set(fieldsOf(wrong.headers.vary))])
    t.deepEqual((await client.get('/attempts')).json, { attempts: 1 })

    const other = new Client(client.origin)
    t.is((await other.get('/wrong', { headers })).setCookie.length, 1, 'a new session on an error, where Koa removes headers')
    t.deepEqual((await other.get('/attempts')).json, { attempts: 1 })
    t.false(fieldsOf((await other.get('/nothing', { headers })).headers.vary).includes('Cookie'))

    const preflight = await client.send('OPTIONS', '/add', { headers: { origin, 'access-control-request-method': 'POST' } })
    t.is(preflight.status, 204)
    t.deepEqual(preflight.setCookie, [])
  })
}
