import test from 'ava'
import { session, type SessionError } from '../../../src/index.js'
import { createTable, sqlStore } from '../../../src/stores/sql/index.js'
import { startApp } from '../../support/app.js'
import { Client } from '../../support/client.js'
import { until } from '../../support/redis.js'
import { collect, engines, needsEngine, patience, type Database } from '../../support/sql.js'
import { createApp, routesOf, startStory, type Routes } from '../../support/story.js'

const routes: Routes = {
  '/get': (ctx) => ({ ...ctx.session }),
  '/set': (ctx) => ctx.session.set('value', String(ctx.query['value'])),
  '/login': (ctx) => ctx.session.loginAs('momo'),
  '/end-others': async (ctx) => String(await ctx.session.endOthers()),
  '/logout': (ctx) => ctx.session.destroy()
}

for (const engine of engines) {
  const engineTest = needsEngine(test, engine)
  const title = (guarantee: string) => `an application on ${engine.name}: ${guarantee}`
  let database: Database
  engineTest.before(async () => {
    database = await engine.start()
    await createTable({ knex: database.connect() })
  })
  engineTest.after.always(async () => {
    await database?.stop()
  })

  engineTest.serial(title('people log in, are listed, end their other sessions and log out'), async (t) => {
    const store = sqlStore({ knex: database.connect(), timeout: patience })
    const sessions = session({ store, maxPerOwner: 3, storeTimeout: 60_000 })
    const origin = await startApp(t, createApp().use(sessions).use(routesOf(routes)))
    const devices = Array.from({ length: 4 }, () => new Client(origin))
    for (const [at, device] of devices.entries()) {
      t.is((await device.get(`/set?value=${at}`)).status, 204)
      t.is((await device.get('/login')).status, 204)
    }
    t.deepEqual((await devices[0]!.get('/get')).json, {}, 'a fourth session ends the first one')
    t.is((await collect(sessions.ownedBy('momo'))).length, 3)
    t.is((await devices[3]!.get('/end-others')).text, '2')
    t.deepEqual((await devices[1]!.get('/get')).json, {})
    t.deepEqual((await devices[3]!.get('/get')).json, { value: '3' })
    t.is((await devices[3]!.get('/logout')).status, 204)
    t.deepEqual((await devices[3]!.get('/get')).json, {})
  })

  const { name } = engine
  if (name === 'SQLite') continue
  engineTest.serial(title('while the server is stopped each request is answered with 503 in time, with the reason in the log'), async (t) => {
    const { client, errors } = await startStory(t, routes, { store: sqlStore({ knex: database.connect() }), storeTimeout: 2000 })
    await until('the session is stored', async () => (await client.get('/set?value=1')).status === 204)
    errors.length = 0
    await database.server!.pause()
    const from = performance.now()
    const answers = await Promise.all(['/get', '/set?value=2', '/logout'].map(async (path) => client.copy().get(path)))
    const took = performance.now() - from
    database.server!.resume()
    for (const answer of answers) t.deepEqual([answer.status, answer.text], [503, 'Service Unavailable'])
    t.true(took < 20_000, `it took ${took} ms`)
    for (const error of errors) t.regex(`${(error as SessionError).code} ${error.message}`, /^ERR_SESSION_STORE .*in time|^ERR_SESSION_TIMEOUT/)
    await until('the application works again', async () => (await client.copy().get('/get')).status === 200)
    t.deepEqual((await client.get('/get')).json, { value: '1' })
  })
}
