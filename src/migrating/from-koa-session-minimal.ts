import type { Context } from 'koa'
import { isDataObject } from '../checks.js'
import type { Bridge } from '../request/index.js'
import { answerOf, assertOldStore, type OldStore } from './old-store.js'
import { assertBridgeOptions, toOldSession, type BridgeOptions, type OldData } from './options.js'

/** The options with which the old application used koa-session-minimal. */
export interface KoaSessionMinimalBridgeOptions<Data extends object = OldData> extends BridgeOptions<Data> {
  store: OldStore
  /** Name of the cookie, and the beginning of every key in the store. @default 'koa:sess' */
  key?: string | undefined
}

const where = 'fromKoaSessionMinimal(options)'
const names = Object.keys({ store: 0, key: 0 } satisfies { [Name in Exclude<keyof KoaSessionMinimalBridgeOptions, keyof BridgeOptions>]-?: 0 })

/** Matches a sid: 24 random bytes in base64url, made by uid-safe. It limits which keys a cookie, which is unsigned, can name in the store. */
const sidPattern = /^[A-Za-z0-9_-]{32}$/

/**
 * Moves the sessions of koa-session-minimal, whose cookies were never signed.
 *
 * @throws TypeError for options that are wrong.
 * @example
 * app.use(session({ migrate: fromKoaSessionMinimal({ store: redisStore({ url }), until: new Date('2026-03-01') }) }))
 */
export function fromKoaSessionMinimal<Data extends object = OldData>(options: KoaSessionMinimalBridgeOptions<Data>): Bridge {
  assertBridgeOptions(where, options, names)
  const { store, key = 'koa:sess' } = options
  assertOldStore(where, store)
  const callable: { get(key: string): unknown; destroy(key: string): unknown } = store

  function keyOf(ctx: Context): string | undefined {
    const sid = ctx.cookies.get(key, { signed: false })
    return sid !== undefined && sidPattern.test(sid) ? `${key}:${sid}` : undefined
  }

  return {
    name: 'koa-session-minimal',
    until: options.until,
    cookies: [{ ...options.cookie, name: key }],
    async read(ctx) {
      const storeKey = keyOf(ctx)
      const record = storeKey === undefined ? undefined : await answerOf(where, callable.get(storeKey))
      return isDataObject(record) ? toOldSession(options, ctx, record, {}) : undefined
    },
    async end(ctx) {
      const storeKey = keyOf(ctx)
      if (storeKey !== undefined) await answerOf(where, callable.destroy(storeKey))
    }
  }
}
