import type { SessionRecord } from '../record/index.js'
import { whenDone, type MaybePromise, type SessionStore } from '../store/index.js'

/** How many sids a session may have got within the minute of a marker. */
const mostMoves = 5

/** Returns the record that a session has under its newest sid. `undefined`: the session has ended. */
export function followMarker(store: Pick<SessionStore, 'read'>, marker: SessionRecord, moves = mostMoves): MaybePromise<SessionRecord | undefined> {
  if (marker.movedTo === undefined || moves === 0) return undefined
  return whenDone(store.read(marker.movedTo), (record) => (record?.moved ? followMarker(store, record, moves - 1) : record))
}
