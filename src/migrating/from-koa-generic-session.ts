import { assertOption, isDataObject } from '../checks.js'
import type { Bridge } from '../request/index.js'
import { isPast, maxAgeOf } from './connect-cookie.js'
import { KoaCookie, type OldKeys } from './koa-cookie.js'
import { answerOf, assertOldStore, type OldStore } from './old-store.js'
import { assertBridgeOptions, factsOf, toOldSession, type BridgeOptions, type OldData } from './options.js'

/** The options with which the old application used koa-generic-session. */
export interface KoaGenericSessionBridgeOptions<Data extends object = OldData> extends BridgeOptions<Data> {
  store: OldStore
  /** @default app.keys */
  keys?: OldKeys | undefined
  /** Name of the cookie. @default 'koa.sid' */
  key?: string | undefined
  /** @default true */
  signed?: boolean | undefined
  /** Prefix of every id in the store. @default 'koa:sess:' */
  prefix?: string | undefined
  /**
   * Its `cookie.maxAge` in milliseconds; `null` if the cookie ended with the browser. A session with another maximum age keeps it.
   * @default 86_400_000
   */
  maxAge?: number | null | undefined
}

const where = 'fromKoaGenericSession(options)'
const names = Object.keys({ store: 0, keys: 0, key: 0, signed: 0, prefix: 0, maxAge: 0 } satisfies {
  [Name in Exclude<keyof KoaGenericSessionBridgeOptions, keyof BridgeOptions>]-?: 0
})

/**
 * Moves the sessions of koa-generic-session.
 *
 * @throws TypeError for options that are wrong.
 * @example
 * app.use(session({ migrate: fromKoaGenericSession({ store: redisStore({ url }), until: new Date('2026-03-01') }) }))
 */
export function fromKoaGenericSession<Data extends object = OldData>(options: KoaGenericSessionBridgeOptions<Data>): Bridge {
  assertBridgeOptions(where, options, names)
  const { store, keys, key = 'koa.sid', signed = true, prefix = 'koa:sess:', maxAge = 86_400_000 } = options
  assertOldStore(where, store)
  assertOption(where, 'maxAge', maxAge, maxAge === null || typeof maxAge === 'number', 'a number of milliseconds, or null')
  const cookie = new KoaCookie(where, key, signed, keys)
  const callable: { get(key: string): unknown; destroy(key: string): unknown } = store

  return {
    name: 'koa-generic-session',
    until: options.until,
    cookies: cookie.with(options.cookie),
    async read(ctx, now) {
      const sid = cookie.read(ctx)
      const record = sid === undefined ? undefined : await answerOf(where, callable.get(prefix + sid))
      if (!isDataObject(record)) return undefined
      const { cookie: own, ...data } = record as { cookie?: unknown }
      return isPast(own, now) ? undefined : toOldSession(options, ctx, data, factsOf(maxAgeOf(own), maxAge ?? undefined))
    },
    async end(ctx) {
      const sid = cookie.read(ctx)
      if (sid !== undefined) await answerOf(where, callable.destroy(prefix + sid))
    }
  }
}
