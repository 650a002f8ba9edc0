import type { Context } from 'koa'
import type { CookieOptions, SessionOptions } from '../src/index.js'
import type { Storage } from './storage.js'
import { tokensOf } from './record-text.js'
import { render } from './views.js'
import { visitorOf } from './visitor.js'
import { writeDuration, writeMoment } from './words.js'

const mask = '•'.repeat(10)

/** The session as it is: what is stored, until when, where, and under which cookie. */
export function sessionPage(storage: Storage, { name = 'session', signed = true, cookie = {} }: SessionOptions): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    const record = await storage.read(ctx)
    render(ctx, 'session', {
      title: 'Your session',
      stored: record !== undefined,
      ...(record && {
        tokens: tokensOf(record),
        hides: 'csrf' in record.data,
        storage: await storage.describe(record.id),
        note: storage.note,
        cookie: { name, value: signed ? `${mask}.${mask}` : mask, attributes: attributesOf(ctx, cookie) },
        ...lifeOf(ctx)
      })
    })
  }
}

function lifeOf(ctx: Context): object {
  const { createdAt, expiresAt, permanent, lifetime, loggedInAt } = visitorOf(ctx)
  const left = Math.max(0, expiresAt.getTime() - Date.now())
  return {
    left: writeDuration(left),
    leftMs: left,
    lifetime: writeDuration(lifetime),
    lifetimeMs: lifetime,
    life: [
      ['Created', writeMoment(createdAt)],
      ...(loggedInAt ? [['Logged in', writeMoment(loggedInAt)]] : []),
      ['Expires', writeMoment(expiresAt)],
      ['Remembered', permanent ? 'yes, the cookie has an expiry' : 'no, the cookie dies with the browser']
    ]
  }
}

function attributesOf(ctx: Context, { path = '/', domain, httpOnly = true, secure = 'auto', sameSite = 'lax', partitioned = false }: CookieOptions): string[] {
  const { permanent, expiresAt } = visitorOf(ctx)
  return [
    `Path=${path}`,
    ...(domain === undefined ? [] : [`Domain=${domain}`]),
    ...(httpOnly ? ['HttpOnly'] : []),
    ...(sameSite === false ? [] : [`SameSite=${sameSite[0]!.toUpperCase()}${sameSite.slice(1)}`]),
    ...((secure === 'auto' ? ctx.secure : secure) ? ['Secure'] : []),
    ...(partitioned ? ['Partitioned'] : []),
    permanent ? `Expires=${expiresAt.toUTCString()}` : 'no Expires: a session cookie'
  ]
}
