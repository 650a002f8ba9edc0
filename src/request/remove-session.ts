import { emit } from '../events.js'
import type { SessionRecord } from '../record/index.js'
import { whenDone, type MaybePromise, type TimedStore } from '../store/index.js'
import { followMarker } from './follow-marker.js'
import { headersSentError } from './headers-sent-error.js'
import type { RequestSession } from './request-session.js'
import type { StoredState } from './session-state.js'

/** Removes the session that `ctx.session = null` ended. The cookie is cleared even if the store fails, because the user wanted to log out. */
export function removeSession(session: RequestSession, ended: StoredState): MaybePromise<void> {
  const { id } = ended.record
  // The record is in the client's cookie: nothing is destroyed unless that cookie is cleared.
  if (session.carrier && session.response.headersSent) throw headersSentError('destroy a session')
  session.response.clear()
  return whenDone(destroyRecord(session.store, ended.record), () => {
    // Only after success: if the application catches a failure, the end of the request tries again, and answers 503 if it fails too.
    if (session.ended === ended) session.ended = undefined
    emit({ type: 'destroy', id })
  })
}

/**
 * Removes a record. If another request has given the session a new sid meanwhile, the user who is logged in is logged out there too. A login
 * that replaced a visitor's sid stays, and so does its marker: somebody who knows the visitor's sid must not end the session of a user.
 */
function destroyRecord(store: TimedStore, record: SessionRecord): MaybePromise<unknown> {
  return whenDone(store.destroy(record.id), (last) => {
    if (!last?.moved) return undefined
    return whenDone(followMarker(store, last), (next) => {
      if (!next) return undefined
      const isSameUser = record.owner !== undefined && next.owner === record.owner
      return isSameUser ? destroyRecord(store, next) : store.create(last)
    })
  })
}
