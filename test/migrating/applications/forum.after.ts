import Koa from 'koa'
import { session, type SessionOptions } from 'koa-keepsake'
import { fromKoaGenericSession, type KoaGenericSessionBridgeOptions } from 'koa-keepsake/migrating'

type Given = { keys: string[]; oldStore: KoaGenericSessionBridgeOptions['store']; until: Date } & SessionOptions

export function createForum({ keys, oldStore, until, ...options }: Given): Koa {
  const app = new Koa()
  app.keys = keys
  app.use(session({
    name: 'forum',
    permanent: true,
    lifetime: 7 * 86_400_000,
    cookie: { path: '/forum' },
    migrate: fromKoaGenericSession({ store: oldStore, maxAge: 7 * 86_400_000, cookie: { path: '/forum' }, until }),
    ...options
  }))
  app.use(async (ctx) => {
    if (ctx.path === '/forum/login') {
      await ctx.session.destroy()
      ctx.session['user'] = ctx.query['user']
      ctx.body = 'welcome'
    } else if (ctx.path === '/forum/logout') {
      ctx.session = null
      ctx.body = 'bye'
    } else if (ctx.path === '/forum/vote') {
      ctx.session.increment('votes')
      await ctx.session.save()
      ctx.body = 'counted'
    } else {
      ctx.body = { user: ctx.session['user'] ?? null, votes: ctx.session['votes'] ?? 0, hasId: typeof ctx.session.recordId === 'string' }
    }
  })
  return app
}
