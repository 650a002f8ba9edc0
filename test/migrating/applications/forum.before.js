import Koa from 'koa'
import session from 'koa-generic-session'

// A forum. koa-generic-session with a store of its own, a new id at login, and sessions that are saved in between.

export function createForum({ keys, store }) {
  const app = new Koa()
  app.keys = keys
  app.use(session({ store, ttl: 7 * 86_400_000, cookie: { maxAge: 7 * 86_400_000, path: '/forum' } }))
  app.use(async (ctx) => {
    if (ctx.path === '/forum/login') {
      await ctx.regenerateSession()
      ctx.session.user = ctx.query.user
      ctx.body = 'welcome'
    } else if (ctx.path === '/forum/logout') {
      ctx.session = null
      ctx.body = 'bye'
    } else if (ctx.path === '/forum/vote') {
      ctx.session.votes = (ctx.session.votes ?? 0) + 1
      await ctx.saveSession()
      ctx.body = 'counted'
    } else {
      ctx.body = { user: ctx.session.user ?? null, votes: ctx.session.votes ?? 0, hasId: typeof ctx.sessionId === 'string' }
    }
  })
  return app
}
