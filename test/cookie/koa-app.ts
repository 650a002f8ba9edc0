import { createRequire } from 'node:module'
import Koa, { type Context } from 'koa'
import { createSid, defineErrorHeaders, ResponseCookie, type CookieOptions } from '../../src/cookie/index.js'
import { startApp, type Cleanup } from '../support/app.js'
import { Client } from '../support/client.js'
import { cookieOf, secret } from './subjects.js'

// Koa 2, under another name beside the newest; its types are those of Koa 3.
const Koa2 = createRequire(import.meta.url)('koa2') as typeof Koa
export const koas = [['Koa 3', Koa], ['Koa 2', Koa2]] as const

export interface Visit {
  readonly ctx: Context
  readonly cookie: ResponseCookie
  /** Sends the cookie of a new session and returns its sid. */
  readonly send: () => string
}

export interface Given {
  readonly App?: typeof Koa
  readonly name?: string
  readonly cookie?: CookieOptions
}

/** A Koa application without the middleware: one handler, the response's cookie, and our headers on errors. */
export function createApp(handler: (visit: Visit) => unknown, { App = Koa, name, cookie: options }: Given = {}): Koa {
  const app = new App()
  app.silent = true
  app.keys = [secret]
  const subject = cookieOf({ ...(name !== undefined && { name }), cookie: options })
  const cookies = new WeakMap<object, ResponseCookie>()
  defineErrorHeaders(app.context, (ctx) => cookies.get(ctx))
  app.use(async (ctx) => {
    const cookie = new ResponseCookie(ctx, subject, undefined)
    cookies.set(ctx, cookie)
    await handler({
      ctx,
      cookie,
      send: () => {
        const sid = createSid()
        cookie.send(sid, undefined, undefined)
        return sid
      }
    })
  })
  return app
}

export async function startClient(t: Cleanup, handler: (visit: Visit) => unknown, given: Given = {}): Promise<Client> {
  return new Client(await startApp(t, createApp(handler, given)))
}

/** The lines that are not ours, and how many are. */
export function sorted(setCookie: readonly string[], name = 'session'): { others: string[]; ours: number } {
  const others = setCookie.filter((line) => !line.startsWith(`${name}=`))
  return { others, ours: setCookie.length - others.length }
}
