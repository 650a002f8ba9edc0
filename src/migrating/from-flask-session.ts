import { createHmac } from 'node:crypto'
import type { Context } from 'koa'
import { assertOption, kindOf } from '../checks.js'
import type { Bridge } from '../request/index.js'
import { loadMsgpack, readFlaskRecord, type MsgpackDecode } from './flask-record.js'
import { assertOldStore } from './old-store.js'
import { assertBridgeOptions, toOldSession, type BridgeOptions, type OldData } from './options.js'
import { bytesStoreOf, type BytesStore, type RedisBytesClient } from './redis-bytes.js'
import { isSameSignature, splitSigned } from './signature.js'

/** The settings with which the old application used Flask-Session. */
export interface FlaskSessionBridgeOptions<Data extends object = OldData> extends BridgeOptions<Data> {
  /** A client of `redis` 4 or later or of `ioredis` 5 or later, for `SESSION_REDIS`. */
  client?: RedisBytesClient | undefined
  /** Instead of a client: functions that get and remove the bytes under a key, in Redis or elsewhere. */
  store?: BytesStore | undefined
  /** `SECRET_KEY`, if `SESSION_USE_SIGNER` was on. Absent: the cookie is the bare sid, as by default. */
  secretKey?: string | Buffer | undefined
  /** `SESSION_COOKIE_NAME`. @default 'session' */
  name?: string | undefined
  /** `SESSION_KEY_PREFIX`. @default 'session:' */
  prefix?: string | undefined
  /** `SESSION_SERIALIZATION_FORMAT`. `'json'`: no decoder of msgpack is needed. @default 'msgpack' */
  format?: 'msgpack' | 'json' | undefined
  /** Decodes msgpack. @default the `decode` of `@msgpack/msgpack`, which has to be installed */
  decode?: MsgpackDecode | undefined
}

const where = 'fromFlaskSession(options)'
const names = Object.keys({ client: 0, store: 0, secretKey: 0, name: 0, prefix: 0, format: 0, decode: 0 } satisfies {
  [Name in Exclude<keyof FlaskSessionBridgeOptions, keyof BridgeOptions>]-?: 0
})

/** Matches a sid: Python's `token_urlsafe`, or a UUID in old versions. It limits which keys an unsigned cookie can name in the store. */
const sidPattern = /^[A-Za-z0-9_-]{1,512}$/

/**
 * Moves the sessions of Flask-Session, whose records are msgpack or JSON.
 *
 * @throws TypeError for options that are wrong; Error when `@msgpack/msgpack` is missing.
 * @example
 * app.use(session({ migrate: fromFlaskSession({ client, owner: (data) => String(data._user_id), until: new Date('2026-03-01') }) }))
 */
export function fromFlaskSession<Data extends object = OldData>(options: FlaskSessionBridgeOptions<Data>): Bridge {
  assertBridgeOptions(where, options, names)
  const { client, secretKey, name = 'session', prefix = 'session:', format = 'msgpack' } = options
  const isKey = (typeof secretKey === 'string' || Buffer.isBuffer(secretKey)) && secretKey.length > 0
  assertOption(where, 'secretKey', secretKey, secretKey === undefined || isKey, "Flask's SECRET_KEY, a string or a Buffer", kindOf)
  const store = client ? bytesStoreOf(client, where) : options.store
  assertOldStore(where, store)
  assertOption(where, 'format', format, format === 'msgpack' || format === 'json', "'msgpack' or 'json'")
  const decode = options.decode ?? (format === 'msgpack' ? loadMsgpack(where) : undefined)

  function keyOf(ctx: Context): string | undefined {
    const value = ctx.cookies.get(name, { signed: false }) ?? ''
    const sid = secretKey === undefined ? value : unsign(value, secretKey)
    return sid !== undefined && sidPattern.test(sid) ? prefix + sid : undefined
  }

  return {
    name: 'flask-session',
    until: options.until,
    cookies: [{ ...options.cookie, name }],
    async read(ctx) {
      const key = keyOf(ctx)
      const bytes = key === undefined ? undefined : await store!.get(key)
      const record = bytes ? readFlaskRecord(bytes, decode) : undefined
      if (!record) return undefined
      const { _permanent, ...data } = record
      return toOldSession(options, ctx, data, { permanent: _permanent === true })
    },
    async end(ctx) {
      const key = keyOf(ctx)
      if (key !== undefined) await store!.destroy(key)
    }
  }
}

/** The sid in a value that itsdangerous signed with the salt `flask-session`: `<sid>.<HMAC-SHA-1 in base64url>`. HMAC derives the key from the secret. */
function unsign(value: string, secretKey: string | Buffer): string | undefined {
  const signed = splitSigned(value)
  if (!signed) return undefined
  const key = createHmac('sha1', secretKey).update('flask-session').digest()
  const expected = createHmac('sha1', key).update(signed.text).digest('base64url')
  return isSameSignature(expected, signed.signature) ? signed.text : undefined
}
