import Koa, { type Context } from 'koa'
import { session, type SessionStore } from '../../src/index.js'
import { createGate, type Gate } from './gate.js'
import { routesOf, secret, type Options, type Routes } from './story.js'

/**
 * The application of the races: each server of a fleet runs it. With `?gate=`, a handler waits after it has done its part, until a request for
 * `/_open?gate=` on the same server. `/_reached?gate=&count=` answers when that many handlers wait.
 *
 * @param options more options of `session()`.
 */
export function createRaceApp(store: SessionStore, options: Options = {}): Koa {
  const app = new Koa()
  app.keys = [secret]
  app.silent = true
  const gates = new Map<string, Gate>()
  const gateOf = (name: string) => {
    if (!gates.has(name)) gates.set(name, createGate())
    return gates.get(name)!
  }
  const hold = (ctx: Context) => (ctx.query['gate'] === undefined ? undefined : gateOf(query(ctx, 'gate')).pass())

  app.use(routesOf({
    '/_reached': (ctx) => gateOf(query(ctx, 'gate')).reached(Number(ctx.query['count'] ?? 1)),
    '/_open': (ctx) => gateOf(query(ctx, 'gate')).open()
  }))

  // With touchAfter 0, each read moves the deadline. The timeout is long, because slowness on a busy machine is no failure.
  app.use(session({ store, touchAfter: 0, permanent: true, storeTimeout: 60_000, ...options }))

  const routes: Routes = {
    '/get': async (ctx) => {
      const data = { ...ctx.session }
      await hold(ctx)
      return data
    },
    '/set': async (ctx) => {
      ctx.session.set(query(ctx, 'key'), query(ctx, 'value'))
      await hold(ctx)
    },
    '/set-late': async (ctx) => {
      void ctx.session.get(query(ctx, 'key'))
      await hold(ctx)
      ctx.session.set(query(ctx, 'key'), query(ctx, 'value'))
    },
    '/pair': (ctx) => {
      const value = query(ctx, 'value')
      ctx.session.update({ left: value, right: { value, long: value.repeat(500) } })
    },
    '/push': async (ctx) => {
      const list = ctx.session.setDefault<string[]>(query(ctx, 'key'), [])
      list.push(query(ctx, 'value'))
      await hold(ctx)
    },
    '/empty': async (ctx) => {
      for (const key of Object.keys(ctx.session)) delete ctx.session[key]
      await hold(ctx)
    },
    '/change': async (ctx) => {
      ctx.session.change<number>('count', (count) => (count ?? 0) + 1)
      await hold(ctx)
    },
    '/logout': async (ctx) => {
      void ctx.session.user
      await hold(ctx)
      await ctx.session.destroy()
    },
    '/login': async (ctx) => {
      void ctx.session.user
      await hold(ctx)
      await ctx.session.regenerate()
      ctx.session.user = query(ctx, 'user')
    },
    '/login-early': async (ctx) => {
      void ctx.session.user
      await hold(ctx)
      ctx.session.user = query(ctx, 'user')
      await ctx.session.regenerate()
    },
    '/login-as': (ctx) => ctx.session.loginAs(query(ctx, 'user')),
    '/regenerate': (ctx) => ctx.session.regenerate(),
    '/end-others': async (ctx) => ({ ended: await ctx.session.endOthers() })
  }
  app.use(routesOf(routes))
  return app
}

function query(ctx: Context, name: string): string {
  return String(ctx.query[name])
}
