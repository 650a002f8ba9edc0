import Koa from 'koa'
import session from 'koa-session-minimal'

// A wiki. koa-session-minimal with a store of its own.

export function createWiki({ store }) {
  const app = new Koa()
  app.use(session({ store }))
  app.use((ctx) => {
    if (ctx.path === '/login') {
      ctx.session = { user: ctx.query.user }
      ctx.sessionHandler.regenerateId()
      ctx.body = 'welcome'
    } else if (ctx.path === '/logout') {
      ctx.session = {}
      ctx.body = 'bye'
    } else {
      ctx.session.seen = [...(ctx.session.seen ?? []), ctx.path]
      ctx.body = { user: ctx.session.user ?? null, seen: ctx.session.seen }
    }
  })
  return app
}
