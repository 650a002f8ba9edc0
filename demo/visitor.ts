import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Context } from 'koa'
import type { Session } from '../src/index.js'

export const themes = ['system', 'light', 'dark'] as const
export type Theme = (typeof themes)[number]

export interface Preferences {
  theme: Theme
  language: string
}

export interface Cart {
  lines: { id: string; pieces: number }[]
}

export interface Flash {
  kind: 'good' | 'note'
  text: string
}

/**
 * What the demo keeps in a session. An application of its own would rather augment `SessionData`, which types
 * `ctx.session` everywhere; here that would reach into the package's own tests.
 */
export interface Visitor {
  /** The user agent that the browser sent when its user logged in. */
  userAgent?: string
  loggedInAt?: Date
  visits?: number
  cart?: Cart
  preferences?: Preferences
  failedLogins?: number
  flashes?: Flash[]
  csrf?: string
}

export function visitorOf(ctx: Context): Session & Visitor {
  return ctx.session
}

/** Shown once, on the next page that is rendered. */
export function flash(ctx: Context, text: string, kind: Flash['kind'] = 'good'): void {
  const flashes = visitorOf(ctx).setDefault('flashes', []) as Flash[]
  flashes.push({ kind, text })
}

export function takeFlashes(ctx: Context): Flash[] {
  return visitorOf(ctx).pop('flashes', []) as Flash[]
}

/** The token that every form carries: made with the first form, made anew at login. */
export function csrfToken(ctx: Context): string {
  return (visitorOf(ctx).csrf ??= newCsrfToken())
}

export function newCsrfToken(): string {
  return randomBytes(24).toString('base64url')
}

/** Compared as digests: of equal length, and in constant time. */
export function isCsrfToken(ctx: Context, token: string): boolean {
  const { csrf } = visitorOf(ctx)
  return csrf !== undefined && timingSafeEqual(hash('sha256', csrf, 'buffer'), hash('sha256', token, 'buffer'))
}
