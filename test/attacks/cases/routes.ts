import type { Context } from 'koa'
import type { Routes } from '../../support/story.js'

/** What applications do with a session. Parameters come in the query. */
export const routes: Routes = {
  '/who': (ctx) => ({ owner: ctx.session.owner ?? null, isNew: ctx.session.isNew, data: ctx.session }),
  '/set': (ctx) => ctx.session.set(query(ctx, 'key'), query(ctx, 'value')),
  '/take': async (ctx) => ({ value: (await ctx.session.take(query(ctx, 'key'))) ?? null }),
  '/login': (ctx) => ctx.session.loginAs(query(ctx, 'user')),
  '/login-in-koa-style': async (ctx) => {
    await ctx.session.regenerate()
    ctx.session.set('user', query(ctx, 'user'))
  },
  '/start-anew': async (ctx) => {
    await ctx.session.destroy()
    ctx.session.set('user', query(ctx, 'user'))
  },
  '/replace': (ctx) => {
    ctx.session = { user: query(ctx, 'user') }
  },
  '/regenerate': (ctx) => ctx.session.regenerate(),
  '/save': async (ctx) => ({ isSaved: await ctx.session.save() }),
  '/reload': async (ctx) => ({ isThere: await ctx.session.reload() }),
  '/logout': (ctx) => ctx.session.destroy()
}

export function query(ctx: Context, name: string): string {
  return String(ctx.query[name])
}

/** What a visitor without a session gets from `/who`. */
export const nobody = { owner: null, isNew: true, data: {} }
