import { isDataObject } from '../checks.js'
import { reasonOf } from '../errors.js'
import { encode, isOwner, type Data } from '../record/index.js'
import { warnOnce } from '../warn-once.js'
import type { OldSession, ResolvedBridge } from './bridge.js'
import { isLifetime } from './lifetimes.js'

/** A session of an earlier library that was not moved yet. */
export interface FoundSession extends Omit<OldSession, 'data'> {
  readonly from: ResolvedBridge
  readonly data: Data
}

/** The names of the bridges that found a session which cannot be stored. */
const bridgesWarnedOf = new Set<string>()

/** Checks and encodes the answer of a bridge. `undefined`: there is nothing to move, or it cannot be moved. */
export function toFoundSession(from: ResolvedBridge, { data, owner, permanent, lifetime }: OldSession): FoundSession | undefined {
  const { name: bridge } = from.bridge
  const assert = (name: string, passes: boolean, expected: string): void => {
    if (!passes) throw new TypeError(`session(options): the bridge "${bridge}" answered a session whose ${name} is not ${expected}`)
  }
  assert('data', isDataObject(data), 'an object')
  assert('owner', owner === undefined || isOwner(owner), 'a string of 1 to 256 characters')
  assert('permanent', permanent === undefined || typeof permanent === 'boolean', 'true or false')
  assert('lifetime', lifetime === undefined || isLifetime(lifetime), 'a number of milliseconds above 0')
  const encoded = encodeAll(bridge, data)
  if (!encoded || (owner === undefined && Object.keys(encoded).length === 0)) return undefined
  return { from, data: encoded, owner, permanent, lifetime }
}

/** The encoded data. `undefined`, and a warning, if it cannot be stored: its user is logged out. An error would fail every request of the user. */
function encodeAll(bridge: string, data: object): Data | undefined {
  try {
    const entries = Object.entries(data).filter(([, value]) => value !== undefined)
    return Object.fromEntries(entries.map(([key, value]) => [key, encode(key, value)]))
  } catch (error) {
    // Warn once for each bridge: the path in the message may be different for each user.
    if (!bridgesWarnedOf.has(bridge)) warnOnce(`the bridge "${bridge}" found a session that cannot be stored, and its user is logged out: ${reasonOf(error)}; use convert to change it`)
    bridgesWarnedOf.add(bridge)
    return undefined
  }
}
