import Koa from 'koa'
import { cookieStore, session, type SessionOptions } from 'koa-keepsake'
import { fromKoaSession } from 'koa-keepsake/migrating'

export function createNotes({ keys, until, ...options }: { keys: string[]; until: Date } & SessionOptions): Koa {
  const app = new Koa()
  app.keys = keys
  app.use(session({
    store: cookieStore(),
    name: 'notes',
    permanent: true,
    lifetime: 86_400_000,
    migrate: fromKoaSession({ key: 'notes.sess', until }),
    ...options
  }))
  app.use((ctx) => {
    if (ctx.path === '/login') {
      ctx.session['user'] = ctx.query['user']
      if (ctx.query['remember']) ctx.session.lifetime = 30 * 86_400_000
      ctx.body = 'welcome'
    } else if (ctx.path === '/logout') {
      ctx.session = null
      ctx.body = 'bye'
    } else if (ctx.session.isNew) {
      ctx.throw(401)
    } else if (ctx.path === '/add') {
      ctx.session.change('notes', (notes: unknown[] = []) => [...notes, ctx.query['note']])
      ctx.body = 'added'
    } else {
      ctx.body = { user: ctx.session['user'], notes: ctx.session['notes'] ?? [] }
    }
  })
  return app
}
