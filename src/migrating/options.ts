import type { Context } from 'koa'
import { assertOptionNames, assertOption } from '../checks.js'
import type { OldCookie, OldSession } from '../request/index.js'
import type { MaybePromise } from '../store/index.js'

/** The data of an old session. Its values are what the old library stored. */
export interface OldData {
  readonly [key: string]: unknown
}

/** The options that every bridge has. */
export interface BridgeOptions<Data extends object = OldData> {
  /**
   * The end of the bridge: from then on it moves no session. Set it to the present date + the longest time that an old session lives without
   * being used. Users who have not come by then must log in again.
   */
  until: Date
  /** The attributes with which the old library set its cookie. Without the same domain and path, a browser does not remove it. @default path '/' */
  cookie?: Omit<OldCookie, 'name'> | undefined
  /** The user to whom an old session belongs, as `loginAs()` would set it. Absent: moved sessions have no owner. */
  owner?: ((data: Data) => string | undefined) | undefined
  /** Converts the data. If it returns `undefined`, the session is not moved and its user is logged out. Absent: the data stays as it is. */
  convert?: ((data: Data, ctx: Context) => MaybePromise<object | undefined>) | undefined
}

/** The names that every bridge knows. */
const commonNames = Object.keys({ until: 0, cookie: 0, owner: 0, convert: 0 } satisfies { [Name in keyof Required<BridgeOptions>]: 0 })

/** @throws TypeError that names the option and what is expected. */
export function assertBridgeOptions<Data extends object>(where: string, options: BridgeOptions<Data>, names: readonly string[]): void {
  assertOptionNames(where, options, [...commonNames, ...names])
  const { until, owner, convert } = options
  assertOption(where, 'until', until, until instanceof Date && !Number.isNaN(until.getTime()), 'a valid Date')
  assertOption(where, 'owner', owner, owner === undefined || typeof owner === 'function', 'a function that returns the id of the user')
  assertOption(where, 'convert', convert, convert === undefined || typeof convert === 'function', 'a function that returns the data')
}

/** Makes the answer of a bridge. @param data the application's own data, without the keys that the old library added. */
export async function toOldSession<Data extends object>(
  { owner, convert }: BridgeOptions<Data>,
  ctx: Context,
  data: object,
  facts: Pick<OldSession, 'permanent' | 'lifetime'>
): Promise<OldSession | undefined> {
  const oldData = data as Data
  const converted = convert ? await convert(oldData, ctx) : oldData
  return converted && { ...facts, data: converted, owner: owner?.(oldData) ?? undefined }
}

/**
 * Converts the maximum age of an old session, in milliseconds. Most sessions have the usual one of the old application. For those, the options
 * of `session()` decide.
 *
 * @param own the session's maximum age. `undefined`: its cookie ended with the browser.
 * @param usual the maximum age in the options of the old application.
 */
export function factsOf(own: number | undefined, usual: number | undefined): Pick<OldSession, 'permanent' | 'lifetime'> {
  if (own === usual) return {}
  return own === undefined ? { permanent: false } : { permanent: true, lifetime: own }
}
