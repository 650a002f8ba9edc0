import type { Context } from 'koa'
import { memoryStore, session, cookieStore } from '../../../src/index.js'
import { startApp } from '../../support/app.js'
import { Client } from '../../support/client.js'
import { createApp, routesOf, type Routes } from '../../support/story.js'
import type { Case } from '../stage.js'

interface Admin {
  readonly owner?: string
  readonly isNew: boolean
  loginAs(owner: string): Promise<void>
}

const adminOf = (ctx: Context): Admin => ctx['admin'] as Admin

const routes: Routes = {
  '/user-login': (ctx) => ctx.session.loginAs('user'),
  '/admin-login': (ctx) => adminOf(ctx).loginAs('root'),
  '/': (ctx) => ({ user: ctx.session.owner ?? null, admin: adminOf(ctx).owner ?? null, isNew: [ctx.session.isNew, adminOf(ctx).isNew] })
}

const nobody = { user: null, admin: null, isNew: [true, true] }

export const twoMiddlewares: readonly Case[] = [
  [
    "of two middlewares with the same keys on one store, neither takes the other's cookie for its own",
    async (stage, t) => {
      const app = createApp()
      stage.mount(app)
      const { calls } = stage.mount(app, { as: 'admin', name: 'admin' })
      app.use(routesOf(routes))
      const client = new Client(await startApp(t, app))
      await client.get('/user-login')
      await client.get('/admin-login')
      t.like((await client.get('/')).json, { user: 'user', admin: 'root' })
      const [user, admin] = ['session', 'admin'].map((name) => client.cookie(name)!) as [string, string]
      const before = calls().length
      for (const cookie of [`admin=${user}`, `session=${admin}`, `session=${admin}; admin=${user}`]) {
        t.deepEqual((await new Client(client.origin).get('/', { headers: { cookie } })).json, nobody)
      }
      t.is(calls().length, before)
    }
  ],
  [
    'of two applications with the same keys and cookie name, one that keeps sessions elsewhere is not fooled by a cookie of the other',
    async (stage, t) => {
      const { browser } = await stage.start({ '/login': (ctx) => ctx.session.loginAs('user'), '/': (ctx) => ({ owner: ctx.session.owner ?? null }) })
      const client = browser()
      await client.get('/login')
      for (const store of [memoryStore(), cookieStore()]) {
        const other = createApp()
        other.use(session({ store }))
        other.use(routesOf({ '/': (ctx) => ({ owner: ctx.session.owner ?? null }), '/login': (ctx) => ctx.session.loginAs('other') }))
        const origin = await startApp(t, other)
        const both = stage.carriesRecord && 'carry' in store
        // Two applications that share name, keys and a store without a server are one.
        t.deepEqual((await client.copy().at(origin).get('/', { headers: { cookie: `session=${client.cookie('session')}` } })).json, { owner: both ? 'user' : null })
        const elsewhere = new Client(origin)
        await elsewhere.get('/login')
        const { json } = await client.get('/', { headers: { cookie: `session=${elsewhere.cookie('session')}` } })
        t.deepEqual(json, { owner: both ? 'other' : null })
      }
    }
  ]
]
