import Koa from 'koa'
import { session, type SessionOptions } from 'koa-keepsake'
import { fromKoaSessionMinimal, type KoaSessionMinimalBridgeOptions } from 'koa-keepsake/migrating'

type Given = { keys: string[]; oldStore: KoaSessionMinimalBridgeOptions['store']; until: Date } & SessionOptions

export function createWiki({ keys, oldStore, until, ...options }: Given): Koa {
  const app = new Koa()
  app.keys = keys
  app.use(session({ name: 'wiki', migrate: fromKoaSessionMinimal({ store: oldStore, until }), ...options }))
  app.use(async (ctx) => {
    if (ctx.path === '/login') {
      ctx.session = { user: ctx.query['user'] }
      await ctx.session.regenerate()
      ctx.body = 'welcome'
    } else if (ctx.path === '/logout') {
      ctx.session = null
      ctx.body = 'bye'
    } else {
      ctx.session.change('seen', (seen: string[] = []) => [...seen, ctx.path])
      ctx.body = { user: ctx.session['user'] ?? null, seen: ctx.session['seen'] }
    }
  })
  return app
}
