import { Router } from '@koa/router'
import Koa from 'koa'
import { session } from 'koa-keepsake'
import { assertSame } from '../expect.js'

interface Item { name: string; count: number }

declare module 'koa-keepsake' {
  interface SessionData {
    user?: string
    visits?: number
    cart?: { items: Item[] }
    seen?: Set<string>
  }
}

// With an augmented SessionData, ctx.session knows its keys,

const app = new Koa()
app.use(session())
app.use(async (ctx, next) => {
  assertSame<typeof ctx.session.user, string | undefined>(true)
  assertSame<typeof ctx.session.seen, Set<string> | undefined>(true)
  ctx.session.user = 'momo'
  delete ctx.session.user
  ctx.session.cart?.items.push({ name: 'tea', count: 1 })

  const got = ctx.session.get('user')
  assertSame<typeof got, string | undefined>(true)
  const fallback = ctx.session.get('user', null)
  assertSame<typeof fallback, string | null>(true)
  const popped = ctx.session.pop('cart')
  assertSame<typeof popped, { items: Item[] } | undefined>(true)
  const cart = ctx.session.setDefault('cart', { items: [] })
  assertSame<typeof cart, { items: Item[] }>(true)
  const visits = ctx.session.change('visits', (n = 0) => n + 1)
  assertSame<typeof visits, number>(true)
  ctx.session.set('visits', 1)
  ctx.session.update({ visits: 2 })

  // every other name can be read with get,
  assertSame<ReturnType<typeof other>, unknown>(true)
  function other(): unknown {
    return ctx.session.get('sid')
  }

  // and mistakes do not compile.
  // @ts-expect-error -- a string
  ctx.session.user = 1
  // @ts-expect-error -- no such key
  ctx.session.usr = 'momo'
  // @ts-expect-error -- no such key
  void ctx.session.nobody
  // @ts-expect-error -- an Item has a count
  ctx.session.cart = { items: [{ name: 'tea' }] }
  // @ts-expect-error -- a number
  ctx.session.update({ visits: 'many' })
  // @ts-expect-error -- a number
  ctx.session.set('visits', 'many')
  // @ts-expect-error -- no such key
  ctx.session.set('usr', 1)
  // @ts-expect-error -- a number comes out, a string goes in
  ctx.session.change('visits', (n = 0) => String(n))
  await next()
})

const router = new Router()
router.get('/', (ctx) => {
  assertSame<typeof ctx.session.visits, number | undefined>(true)
})

const typed = new Koa<{ a: 1 }, { b: 2 }>()
typed.use((ctx) => {
  assertSame<typeof ctx.session.user, string | undefined>(true)
})
