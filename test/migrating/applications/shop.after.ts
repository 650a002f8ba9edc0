import { subscribe } from 'node:diagnostics_channel'
import Koa from 'koa'
import { channelName, session, storeFromUrl, type SessionEvent, type SessionOptions } from 'koa-keepsake'
import { fromKoaSession, type KoaSessionBridgeOptions } from 'koa-keepsake/migrating'

interface OldShopSession {
  userId?: number
  version?: number
}

type Given = { keys: string[]; redis: string; oldStore: KoaSessionBridgeOptions['store']; log: string[]; until: Date } & SessionOptions

export function createShop({ keys, redis, oldStore, log, until, ...options }: Given) {
  const app = new Koa()
  const store = storeFromUrl(redis)
  app.keys = keys
  app.use(session({
    name: 'sid',
    store,
    permanent: true,
    lifetime: 7 * 86_400_000,
    migrate: fromKoaSession<OldShopSession>({
      key: 'shop.sid',
      store: oldStore,
      maxAge: 7 * 86_400_000,
      until,
      convert: ({ version, ...data }) => (version === 2 ? data : undefined),
      owner: ({ userId }) => (userId === undefined ? undefined : String(userId))
    }),
    ...options
  }))
  subscribe(channelName, (message) => {
    if ((message as SessionEvent).type === 'missing') log.push('missed')
  })
  app.use(async (ctx) => {
    if (ctx.path === '/login') {
      await ctx.session.loginAs('17')
      ctx.session['userId'] = 17
      ctx.body = 'welcome'
    } else if (ctx.path === '/logout') {
      ctx.session = null
      ctx.body = 'bye'
    } else if (ctx.path === '/add') {
      ctx.session.change('cart', (cart: unknown[] = []) => [...cart, ctx.query['item']])
      ctx.body = 'added'
    } else {
      ctx.body = { userId: ctx.session['userId'] ?? null, cart: ctx.session['cart'] ?? [], populated: Object.keys(ctx.session).length > 0, owner: ctx.session.owner }
    }
  })
  return { app, store }
}
