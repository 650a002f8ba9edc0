import { emit } from '../events.js'
import type { SessionRecord } from '../record/index.js'
import type { TimedStore } from '../store/index.js'
import { followMarker } from './follow-marker.js'

/** The error for an option or a call that needs a store with lists of owners' sessions. */
export const cannotListOwners =
  'this store cannot list the sessions of an owner (a cookie has no server side, and memcached may forget an index at any time): ' +
  'use fileStore(), redisStore(), mongoStore() or sqlStore()'

/** How often the sessions of an owner are listed again while some of them get new sids. */
const mostPasses = 10

/** Ends the sessions of an owner and returns how many it ended. @param except the id of a session to keep. */
export async function endOwned(store: TimedStore, owner: string, except?: string): Promise<number> {
  let ended = 0
  for (let pass = 0; pass < mostPasses; pass++) {
    const before = ended
    for (const { id } of await listOthers(store, owner, except)) if (await endSession(store, id)) ended++
    // A session that got a new sid while the others were listed is found by the next pass.
    if (ended === before) break
  }
  return ended
}

/** Ends one session, also if it got a new sid meanwhile. Reports whether there was one. */
export async function endSession(store: TimedStore, id: string): Promise<boolean> {
  const last = await store.destroy(id)
  if (!last) return false
  if (last.moved) {
    const record = await followMarker(store, last)
    return record !== undefined && endSession(store, record.id)
  }
  emit({ type: 'end', id, owner: last.owner })
  return true
}

/**
 * After a login, ends the least recently used sessions of the owner until at most `most` are left.
 *
 * Two logins at the same moment must choose the same session to end, or they would end each other. So a session that was created later
 * than this login counts as more recent, and of two that were created at the same moment the one with the higher id.
 */
export async function enforceMaxPerOwner(store: TimedStore, login: SessionRecord, most: number): Promise<void> {
  const others = await listOthers(store, login.owner!, login.id)
  if (others.length < most) return
  const later = others.filter((other) => isLater(other, login))
  const earlier = others.filter((other) => !isLater(other, login)).toSorted((one, other) => other.used - one.used)
  const byRecency = [...later.toSorted((one, other) => (isLater(one, other) ? -1 : 1)), login, ...earlier]
  for (const { id } of byRecency.slice(most)) await endSession(store, id)
}

async function listOthers(store: TimedStore, owner: string, except: string | undefined): Promise<SessionRecord[]> {
  const others: SessionRecord[] = []
  for await (const record of store.list(owner)) if (record.id !== except) others.push(record)
  return others
}

function isLater(one: SessionRecord, other: SessionRecord): boolean {
  return one.created > other.created || (one.created === other.created && one.id > other.id)
}
