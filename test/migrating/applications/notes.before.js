import Koa from 'koa'
import session from 'koa-session'

// Notes, kept in the session. koa-session without a store: the cookie holds everything.

export function createNotes({ keys }) {
  const app = new Koa()
  app.keys = keys
  app.use(session({ key: 'notes.sess' }, app))
  app.use((ctx) => {
    if (ctx.path === '/login') {
      ctx.session.user = ctx.query.user
      if (ctx.query.remember) ctx.session.maxAge = 30 * 86_400_000
      ctx.body = 'welcome'
    } else if (ctx.path === '/logout') {
      ctx.session = null
      ctx.body = 'bye'
    } else if (ctx.session.isNew) {
      ctx.throw(401)
    } else if (ctx.path === '/add') {
      ctx.session.notes = [...(ctx.session.notes ?? []), ctx.query.note]
      ctx.body = 'added'
    } else {
      ctx.body = { user: ctx.session.user, notes: ctx.session.notes ?? [] }
    }
  })
  return app
}
