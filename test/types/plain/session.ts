import { Router, type RouterContext } from '@koa/router'
import Koa from 'koa'
import { session, type Session } from 'koa-keepsake'
import { assertSame } from '../expect.js'

// Without an augmented SessionData every key is allowed and unknown.

const app = new Koa()
app.use(session())
app.use(async (ctx, next) => {
  assertSame<typeof ctx.session, Session>(true)
  assertSame<typeof ctx.request.ctx.session, Session>(true)
  ctx.session.user = 'momo'
  assertSame<typeof ctx.session.user, unknown>(true)
  assertSame<typeof ctx.session.permanent, boolean>(true)
  assertSame<typeof ctx.session.isNew, boolean>(true)
  assertSame<typeof ctx.session.sid, string | undefined>(true)
  assertSame<typeof ctx.session.createdAt, Date>(true)

  const name: unknown = ctx.session.get('name')
  const visits = ctx.session.change('visits', (n: number = 0) => n + 1)
  assertSame<typeof visits, number>(true)
  const counted = ctx.session.change('visits', (n = 0) => n + 1)
  void counted
  assertSame<ReturnType<typeof ctx.session.increment>, number>(true)
  ctx.session.increment('visits', -0.5)
  // @ts-expect-error -- adds a number
  ctx.session.increment('visits', '1')
  ctx.session.polling = true
  // @ts-expect-error -- a boolean
  ctx.session.polling = 1
  const isThere = await ctx.session.reload()
  assertSame<typeof isThere, boolean>(true)
  // @ts-expect-error -- a function
  await ctx.session.reload(1)
  const saved = await ctx.session.save()
  assertSame<typeof saved, boolean>(true)
  // Node callbacks, such as those of Passport.
  void ctx.session.save((error) => void error)
  void ctx.session.regenerate((error) => void error)
  void ctx.session.destroy((error?: Error | null) => void error)
  void ctx.session.reload(() => {})
  await ctx.session.loginAs('17', { keep: ['cart'], permanent: true })
  assertSame<typeof ctx.session.owner, string | undefined>(true)
  assertSame<typeof ctx.session.recordId, string | undefined>(true)
  // @ts-expect-error -- the owner is a string
  await ctx.session.loginAs(17)
  // @ts-expect-error -- loginAs() sets the owner
  ctx.session.owner = '17'
  const list = ctx.session.setDefault('list', ['a'])
  assertSame<typeof list, string[]>(true)
  ctx.session.update({ name, anything: 1 })
  ctx.session.permanent = true
  ctx.session.lifetime = 1000

  // Applications keep data under these names, so no member may have one.
  for (const own of ['login', 'user', 'id', 'flash', 'token', 'cookie'] as const) {
    assertSame<typeof ctx.session[typeof own], unknown>(true)
    ctx.session[own] = 'data'
  }

  ctx.session = null
  ctx.session = { user: 'lin' }
  const same = ctx.session
  ctx.session = same
  // @ts-expect-error -- only null or an object
  ctx.session = 'text'
  // @ts-expect-error -- only null or an object
  ctx.session = 1

  await ctx.session.regenerate()
  await ctx.session.destroy()
  await ctx.session.save()
  // @ts-expect-error -- read-only
  ctx.session.sid = 'mine'
  // @ts-expect-error -- read-only
  ctx.session.isNew = true
  // @ts-expect-error -- a boolean
  ctx.session.permanent = 'yes'
  // @ts-expect-error -- milliseconds
  ctx.session.lifetime = '1h'
  await next()
})

// The context and the state of the application do not matter.
interface State { user: string }
interface Custom { render: (view: string) => void }
const typed = new Koa<State, Custom>()
typed.use(session())
typed.use((ctx) => {
  assertSame<typeof ctx.session, Session>(true)
  assertSame<typeof ctx.state.user, string>(true)
  ctx.render(String(ctx.session.user))
})

const router = new Router()
router.get('/', session(), (ctx) => {
  assertSame<typeof ctx.session, Session>(true)
  ctx.session = null
})
const typedRouter = new Router<State, Custom>()
typedRouter.get('/', (ctx) => {
  assertSame<typeof ctx.session, Session>(true)
  ctx.session.set('a', 1)
})
app.use(router.routes())

export function handler(ctx: RouterContext): void {
  assertSame<typeof ctx.session, Session>(true)
}

export function parameterized(ctx: Koa.ParameterizedContext<State, Custom>): void {
  assertSame<typeof ctx.session, Session>(true)
}

export function context(ctx: Koa.Context): void {
  assertSame<typeof ctx.session, Session>(true)
}
