import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Context, Next } from 'koa'
import { render, renderBare } from './views.js'
import { isCsrfToken, visitorOf } from './visitor.js'

// No page runs a script; styles, the icon and form targets come from here only.
const policy = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src 'self'",
  "form-action 'self'",
  "base-uri 'none'",
  "frame-ancestors 'none'"
].join('; ')

export async function securityHeaders(ctx: Context, next: Next): Promise<void> {
  ctx.set({
    'Content-Security-Policy': policy,
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'same-origin',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin'
  })
  await next()
}

const assets = new Map([assetOf('style.css', 'css'), assetOf('race.css', 'css'), assetOf('favicon.svg', 'svg')])

/** Before the session: a style sheet needs none. */
export async function staticFiles(ctx: Context, next: Next): Promise<void> {
  const asset = assets.get(ctx.path)
  if (!asset || (ctx.method !== 'GET' && ctx.method !== 'HEAD')) return next()
  ctx.status = 200
  ctx.type = asset.type
  ctx.set({ ETag: asset.etag, 'Cache-Control': 'no-cache' })
  if (ctx.fresh) ctx.status = 304
  else ctx.body = asset.body
}

/** Outside the session: what went wrong may be the session store. */
export async function brokenPages(ctx: Context, next: Next): Promise<void> {
  try {
    await next()
  } catch (error) {
    const status = statusOf(error)
    ctx.app.emit('error', error, ctx)
    ctx.status = status
    const text =
      status === 503
        ? 'Sessions cannot be reached at the moment. Nothing is lost and nobody is logged out: try again shortly.'
        : 'Something went wrong here. Nothing that you did in this request was kept.'
    renderBare(ctx, 'problem', { title: status === 503 ? 'Back in a moment' : 'That did not work', status, text, back: { href: ctx.path, label: 'Try again' } })
  }
}

/** Inside the session: a page about what the visitor asked for in vain. */
export async function missingPages(ctx: Context, next: Next): Promise<void> {
  try {
    await next()
    if (ctx.status >= 400 && ctx.body == null) ctx.throw(ctx.status)
  } catch (error) {
    const status = statusOf(error)
    if (status >= 500) throw error
    ctx.status = status
    render(ctx, 'problem', { status, ...wordsOf(ctx, status) })
  }
}

/** Every POST must carry the token that this session's forms carry. */
export async function checkedForms(ctx: Context, next: Next): Promise<void> {
  if (ctx.method !== 'GET' && ctx.method !== 'HEAD' && !isCsrfToken(ctx, field(ctx, '_csrf'))) ctx.throw(403)
  await next()
}

/** After a POST: the browser gets the page, so that reloading it does not send the form again. */
export function seeOther(ctx: Context, path: string): void {
  ctx.status = 303
  ctx.redirect(path)
}

/** A field of the form that was sent; empty when it is absent or sent twice. */
export function field(ctx: Context, name: string): string {
  const form = ctx.request.body as Record<string, unknown> | undefined
  const value = form && Object.hasOwn(form, name) ? form[name] : undefined
  return typeof value === 'string' ? value : ''
}

function wordsOf(ctx: Context, status: number): { title: string; text: string; back: { href: string; label: string } } {
  const home = { href: '/', label: 'To the start' }
  switch (status) {
    case 403:
      return {
        title: 'This form is out of date',
        text:
          visitorOf(ctx).owner === undefined
            ? 'It belongs to a session that has ended: logged out, expired, or replaced by a login in another tab. Nothing was changed.'
            : 'It is older than your login. Nothing was changed: open the page again and send the form from there.',
        back: visitorOf(ctx).owner === undefined ? { href: '/login', label: 'Log in' } : home
      }
    case 404:
      return { title: 'There is nothing here', text: 'Perhaps it was kept in a session that is gone.', back: home }
    case 429:
      return { title: 'Others are racing', text: 'One race is run at a time, and several visitors are waiting for theirs. Try again in a few seconds.', back: { href: '/race', label: 'To the race' } }
    default:
      return { title: 'That cannot be done', text: 'The request was not one that this page understands. Nothing was changed.', back: home }
  }
}

function statusOf(error: unknown): number {
  const { status } = error as { status?: unknown }
  return typeof status === 'number' && status >= 400 && status < 600 ? status : 500
}

function assetOf(name: string, type: string): [string, { body: Buffer; type: string; etag: string }] {
  const body = readFileSync(new URL(`public/${name}`, import.meta.url))
  return [`/${name}`, { body, type, etag: `"${createHash('sha256').update(body).digest('base64url').slice(0, 22)}"` }]
}
