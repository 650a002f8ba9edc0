import Koa from 'koa'
import { session, type SessionOptions } from 'koa-keepsake'
import { fromExpressSession, type ExpressSessionBridgeOptions } from 'koa-keepsake/migrating'

type Given = { secret: string; oldStore: ExpressSessionBridgeOptions['store']; until: Date } & SessionOptions

export function createBoard({ secret, oldStore, until, ...options }: Given): Koa {
  const app = new Koa()
  app.use(session({
    keys: [secret],
    name: 'board',
    permanent: true,
    lifetime: 3_600_000,
    migrate: fromExpressSession({ secret, store: oldStore, maxAge: 3_600_000, until }),
    ...options
  }))
  app.use(async (ctx) => {
    if (ctx.path === '/login') {
      await ctx.session.destroy()
      ctx.session['user'] = ctx.query['user']
      if (ctx.query['remember'] !== undefined) ctx.session.lifetime = 30 * 86_400_000
      ctx.body = JSON.stringify('welcome')
    } else if (ctx.path === '/logout') {
      await ctx.session.destroy()
      ctx.body = JSON.stringify('bye')
    } else {
      ctx.session.increment('visits')
      ctx.body = { user: ctx.session['user'] ?? null, visits: ctx.session['visits'] }
    }
  })
  return app
}
