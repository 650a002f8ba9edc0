import { whenDone, type MaybePromise } from '../store/index.js'
import type { RequestSession } from './request-session.js'

/** Reads the newest state of the session and keeps the request's changes. Returns `false` if the session is gone. */
export function reload(session: RequestSession): MaybePromise<boolean> {
  const before = session.stored
  if (!before) return false
  return whenDone(session.store.read(before.record.id), (atRest) => {
    if (session.state !== before) return false
    const record = atRest && !atRest.moved ? session.sealing.open(atRest, before.sid) : undefined
    if (atRest && record) {
      session.useReloaded({ ...before, record, atRest })
      return true
    }
    session.state = { kind: atRest?.moved ? 'moved' : 'gone' }
    session.startAnew()
    return false
  })
}
