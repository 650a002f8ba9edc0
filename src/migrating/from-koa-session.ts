import type { Context } from 'koa'
import { assertOption, isDataObject } from '../checks.js'
import type { Bridge } from '../request/index.js'
import { KoaCookie, type OldKeys } from './koa-cookie.js'
import { answerOf, assertOldStore, type OldStore } from './old-store.js'
import { assertBridgeOptions, factsOf, toOldSession, type BridgeOptions, type OldData } from './options.js'

/** The options with which the old application used koa-session. */
export interface KoaSessionBridgeOptions<Data extends object = OldData> extends BridgeOptions<Data> {
  /** @default app.keys */
  keys?: OldKeys | undefined
  /** Name of the cookie. @default 'koa.sess' */
  key?: string | undefined
  /** @default true */
  signed?: boolean | undefined
  /** The store of the old application. Absent: the cookie held the session. */
  store?: OldStore | undefined
  /**
   * Its `maxAge` in milliseconds, or `'session'`. A session with another `maxAge` of its own keeps that. For all others, the options of
   * `session()` decide. @default 86_400_000
   */
  maxAge?: number | 'session' | undefined
  /** Decodes the text in the cookie. @default JSON in base64 */
  decode?: ((text: string) => unknown) | undefined
}

interface Callable {
  get(key: string, maxAge: number | 'session', options: { ctx: Context; rolling: boolean }): unknown
  destroy(key: string, options: { ctx: Context }): unknown
}

const where = 'fromKoaSession(options)'
const names = Object.keys({ keys: 0, key: 0, signed: 0, store: 0, maxAge: 0, decode: 0 } satisfies {
  [Name in Exclude<keyof KoaSessionBridgeOptions, keyof BridgeOptions>]-?: 0
})

/**
 * Moves the sessions of koa-session, with or without a store.
 *
 * Without a store, an old cookie cannot be revoked: a copy of it opens a session until it expires or the bridge ends.
 *
 * @throws TypeError for options that are wrong, and for a cookie that anybody could have written.
 * @example
 * app.use(session({ migrate: fromKoaSession({ until: new Date('2026-03-01') }) }))
 */
export function fromKoaSession<Data extends object = OldData>(options: KoaSessionBridgeOptions<Data>): Bridge {
  assertBridgeOptions(where, options, names)
  const { key = 'koa.sess', signed = true, keys, maxAge = 86_400_000, decode = decodeJson } = options
  const store: Callable | undefined = options.store
  if (store) assertOldStore(where, store)
  assertOption(where, 'maxAge', maxAge, maxAge === 'session' || typeof maxAge === 'number', "a number of milliseconds, or 'session'")
  if (!signed && !store) throw new TypeError(`${where}: signed: false needs a store, because anybody could write a session into the cookie: leave the bridge out`)
  const cookie = new KoaCookie(where, key, signed, keys)
  const usual = maxAge === 'session' ? undefined : maxAge

  return {
    name: 'koa-session',
    until: options.until,
    cookies: cookie.with(options.cookie),
    async read(ctx, now) {
      const value = cookie.read(ctx)
      if (value === undefined) return undefined
      const record = store ? await answerOf(where, store.get(value, maxAge, { ctx, rolling: false })) : tryDecode(decode, value)
      if (!isRecord(record)) return undefined
      const { _expire, _maxAge, _session, ...data } = record
      if (typeof _expire === 'number' && _expire < now) return undefined
      return toOldSession(options, ctx, data, factsOf(typeof _maxAge === 'number' ? _maxAge : undefined, usual))
    },
    async end(ctx) {
      const value = cookie.read(ctx)
      if (store && value !== undefined) await answerOf(where, store.destroy(value, { ctx }))
    }
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return isDataObject(value)
}

/** `undefined` for a text that cannot be decoded: koa-session treated it as no session, too. */
function tryDecode(decode: (text: string) => unknown, text: string): unknown {
  try {
    return decode(text)
  } catch {
    return undefined
  }
}

function decodeJson(text: string): unknown {
  return JSON.parse(Buffer.from(text, 'base64').toString('utf8'))
}
