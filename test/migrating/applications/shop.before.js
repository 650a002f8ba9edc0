import Koa from 'koa'
import createRedisStore from 'koa-redis'
import session from 'koa-session'

// A shop. koa-session with koa-redis, its hooks and its events.

export function createShop({ keys, redis, log }) {
  const app = new Koa()
  const store = createRedisStore({ url: redis })
  app.keys = keys
  app.use(session({
    key: 'shop.sid',
    store,
    maxAge: 7 * 86_400_000,
    valid: (_ctx, stored) => stored.version === 2,
    beforeSave: (_ctx, current) => (current.version = 2)
  }, app))
  app.on('session:missed', () => log.push('missed'))
  app.use(async (ctx) => {
    if (ctx.path === '/login') {
      await ctx.session.regenerate()
      ctx.session.userId = 17
      ctx.body = 'welcome'
    } else if (ctx.path === '/logout') {
      ctx.session = null
      ctx.body = 'bye'
    } else if (ctx.path === '/add') {
      ctx.session.cart = [...(ctx.session.cart ?? []), ctx.query.item]
      ctx.body = 'added'
    } else {
      ctx.body = { userId: ctx.session.userId ?? null, cart: ctx.session.cart ?? [], populated: ctx.session.populated }
    }
  })
  return { app, store }
}
