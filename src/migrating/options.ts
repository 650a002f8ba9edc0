import type { Context } from 'koa'
import { assertKnown, assertOption } from '../checks.js'
import type { OldCookie, OldSession } from '../request/index.js'
import type { MaybePromise } from '../store/index.js'

/** The data of an old session. Its values are what the old library stored. */
export interface OldData {
  readonly [key: string]: unknown
}

/** What every bridge takes. */
export interface BridgeOptions<Data extends object = OldData> {
  /**
   * From then on the bridge is not used any more: now + the longest time that an old session lives without being used. Users who did not come
   * until then have to log in again.
   */
  until: Date
  /** The attributes with which the old library set its cookie. Without the same domain and path, a browser does not remove it. @default path '/' */
  cookie?: Omit<OldCookie, 'name'> | undefined
  /** The user to whom an old session belongs, as `loginAs()` would set it. Absent: moved sessions have no owner. */
  owner?: ((data: Data) => string | undefined) | undefined
  /** Changes the data on its way. `undefined`: the session is not moved, and its user is logged out. Absent: the data stays as it is. */
  convert?: ((data: Data, ctx: Context) => MaybePromise<object | undefined>) | undefined
}

/** The names that every bridge knows. */
export const commonNames = Object.keys({ until: 0, cookie: 0, owner: 0, convert: 0 } satisfies { [Name in keyof Required<BridgeOptions>]: 0 })

/** @throws TypeError that names the option and what is expected. */
export function assertBridgeOptions<Data extends object>(where: string, options: BridgeOptions<Data>, names: readonly string[]): void {
  assertKnown(where, options, [...commonNames, ...names])
  const { until, owner, convert } = options
  assertOption(where, 'until', until, until instanceof Date && !Number.isNaN(until.getTime()), 'a valid Date')
  assertOption(where, 'owner', owner, owner === undefined || typeof owner === 'function', 'a function that returns the id of the user')
  assertOption(where, 'convert', convert, convert === undefined || typeof convert === 'function', 'a function that returns the data')
}

/** Makes the answer of a bridge. @param data what the application had stored, without what the old library added. */
export async function oldSession<Data extends object>(
  { owner, convert }: BridgeOptions<Data>,
  ctx: Context,
  data: object,
  facts: Pick<OldSession, 'permanent' | 'lifetime'>
): Promise<OldSession | undefined> {
  const known = data as Data
  const converted = convert ? await convert(known, ctx) : known
  return converted && { ...facts, data: converted, owner: owner?.(known) ?? undefined }
}

/**
 * What a session's own maximum age in milliseconds means here. Of most sessions it is the usual one of the old application, and the options
 * of `session()` decide about those.
 *
 * @param own `undefined`: the cookie ended with the browser.
 */
export function factsOf(own: number | undefined, usual: number | undefined): Pick<OldSession, 'permanent' | 'lifetime'> {
  if (own === usual) return {}
  return own === undefined ? { permanent: false } : { permanent: true, lifetime: own }
}
