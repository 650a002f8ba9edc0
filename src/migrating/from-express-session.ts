import { createHmac } from 'node:crypto'
import type { Context } from 'koa'
import { assertOption, isDataObject, kindOf } from '../checks.js'
import type { Bridge } from '../request/index.js'
import { isPast, maxAgeOf } from './connect-cookie.js'
import { assertOldStore, callWithCallback, type OldExpressStore } from './old-store.js'
import { assertBridgeOptions, factsOf, toOldSession, type BridgeOptions, type OldData } from './options.js'
import { isSameSignature, splitSigned } from './signature.js'

type Secret = string | Buffer

/** The options with which the old application used express-session. */
export interface ExpressSessionBridgeOptions<Data extends object = OldData> extends BridgeOptions<Data> {
  /** The secret that signed the cookies, or an array of them. */
  secret: Secret | readonly Secret[]
  store: OldExpressStore
  /** Name of the cookie. @default 'connect.sid' */
  name?: string | undefined
  /** Its `cookie.maxAge` in milliseconds. A session with another maximum age keeps it. Absent: the cookie ended with the browser. */
  maxAge?: number | undefined
}

const where = 'fromExpressSession(options)'
const names = Object.keys({ secret: 0, store: 0, name: 0, maxAge: 0 } satisfies {
  [Name in Exclude<keyof ExpressSessionBridgeOptions, keyof BridgeOptions>]-?: 0
})

/**
 * Moves the sessions of express-session.
 *
 * @throws TypeError for options that are wrong.
 * @example
 * app.use(session({ migrate: fromExpressSession({ secret: process.env.SECRET, store: new RedisStore({ client }), until: new Date('2026-03-01') }) }))
 */
export function fromExpressSession<Data extends object = OldData>(options: ExpressSessionBridgeOptions<Data>): Bridge {
  assertBridgeOptions(where, options, names)
  const { store, name = 'connect.sid', maxAge } = options
  const secrets: readonly Secret[] = [options.secret].flat()
  assertOldStore(where, store)
  const areSecrets = secrets.length > 0 && secrets.every((secret) => (typeof secret === 'string' || Buffer.isBuffer(secret)) && secret.length > 0)
  assertOption(where, 'secret', options.secret, areSecrets, 'the secret of the old application, or an array of them', kindOf)
  assertOption(where, 'maxAge', maxAge, maxAge === undefined || typeof maxAge === 'number', 'a number of milliseconds')

  return {
    name: 'express-session',
    until: options.until,
    cookies: [{ ...options.cookie, name }],
    async read(ctx, now) {
      const sid = sidOf(ctx, name, secrets)
      const record = sid === undefined ? undefined : await callWithCallback((callback) => store.get(sid, callback))
      if (!isDataObject(record)) return undefined
      const { cookie, ...data } = record as { cookie?: unknown }
      return isPast(cookie, now) ? undefined : toOldSession(options, ctx, data, factsOf(maxAgeOf(cookie), maxAge))
    },
    async end(ctx) {
      const sid = sidOf(ctx, name, secrets)
      if (sid !== undefined) await callWithCallback((callback) => store.destroy(sid, callback))
    }
  }
}

/** The sid of a cookie that cookie-signature signed: `s:<sid>.<HMAC-SHA-256 in base64 without padding>`, encoded for URLs. */
function sidOf(ctx: Context, name: string, secrets: readonly Secret[]): string | undefined {
  const value = decoded(ctx.cookies.get(name, { signed: false }) ?? '')
  const signed = value.startsWith('s:') ? splitSigned(value.slice(2)) : undefined
  const isSigned = signed && secrets.some((secret) => isSameSignature(sign(signed.text, secret), signed.signature))
  return isSigned ? signed.text : undefined
}

function sign(text: string, secret: Secret): string {
  return createHmac('sha256', secret).update(text).digest('base64').replace(/=+$/, '')
}

/** Decodes a value like the package cookie: a value with a wrong encoding stays as it is. */
function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
