import type { Context } from 'koa'
import { idOf } from '../src/sid.js'
import type { Place } from './place.js'
import { tokensOf } from './record-text.js'
import { preferencesOf, render } from './views.js'
import { visitorOf } from './visitor.js'
import { writeDuration, writeMoment } from './words.js'

/** The session as it is: what is stored, until when, where, and under which cookie. */
export function sessionPage(place: Place, cookieName: string): (ctx: Context) => Promise<void> {
  return async (ctx) => {
    const { sid } = visitorOf(ctx)
    const id = sid === undefined ? undefined : idOf(sid)
    const record = id === undefined ? undefined : await place.store.read(id)
    render(ctx, 'session', {
      title: 'Your session',
      stored: record !== undefined,
      ...(record && {
        tokens: tokensOf(record),
        hides: 'csrf' in record.data,
        place: await place.describe(record.id),
        cookie: { name: cookieName, value: `${'•'.repeat(10)}.${'•'.repeat(10)}`, attributes: cookieAttributes(ctx) },
        ...lifeOf(ctx)
      })
    })
  }
}

function lifeOf(ctx: Context): object {
  const { createdAt, expiresAt, permanent, lifetime, loggedInAt } = visitorOf(ctx)
  const { language } = preferencesOf(ctx)
  const left = Math.max(0, expiresAt.getTime() - Date.now())
  return {
    left: writeDuration(left),
    leftMs: left,
    lifetime: writeDuration(lifetime),
    lifetimeMs: lifetime,
    life: [
      ['Created', writeMoment(language, createdAt)],
      ...(loggedInAt ? [['Logged in', writeMoment(language, loggedInAt)]] : []),
      ['Expires', writeMoment(language, expiresAt)],
      ['Remembered', permanent ? 'yes, the cookie has an expiry' : 'no, the cookie dies with the browser']
    ]
  }
}

function cookieAttributes(ctx: Context): string[] {
  const { permanent, expiresAt } = visitorOf(ctx)
  return [
    'Path=/',
    'HttpOnly',
    'SameSite=Lax',
    ...(ctx.secure ? ['Secure'] : []),
    permanent ? `Expires=${expiresAt.toUTCString()}` : 'no Expires: a session cookie'
  ]
}
