import { leavesData, noChanges } from './changes.js'
import type { RequestSession } from './request-session.js'
import type { SessionState } from './session-state.js'

/** The facts that decide about a save. */
export interface Situation {
  readonly state: SessionState['kind']
  /** `ctx.session = null` ended a stored session that is not removed yet. */
  readonly hasEnded: boolean
  /** The client has a session of an earlier library that was not moved yet. */
  readonly hasOld: boolean
  /** The request changed data or assigned members. */
  readonly hasChanges: boolean
  /** After the request's changes to nothing, or to a session of an earlier library, there is data or an owner. Not used for a stored session. */
  readonly hasData: boolean
  /** The request called `clear()` and set nothing afterwards. */
  readonly isEmptied: boolean
  /** The response is a server error, and changes are not kept then. */
  readonly failed: boolean
  /** The deadline should move. */
  readonly isDue: boolean
  /** The cookie should be sent again, for example because an older key signed it. */
  readonly reissue: boolean
  readonly permanent: boolean
  /** The headers have left: no cookie can be sent. */
  readonly headersSent: boolean
  /** The cookie carries the record, so each write needs a cookie. */
  readonly carriesRecord: boolean
}

/** Collects the facts. @param options.failed `true`: the response is a server error, and changes are not kept then. */
export function situationOf(session: RequestSession, { failed }: { failed: boolean }): Situation {
  const { state, stored, assigned, response, migration } = session
  const changes = failed ? noChanges : session.changes()
  const isCleared = assigned.cleared === true
  const isEmptied = isCleared && session.tracker.keys().length === 0
  // As with a stored session, the owner of an old one is reason enough to store it, unless `clear()` ended that.
  const keepsOldOwner = migration?.found?.owner !== undefined && !isCleared
  return {
    state: state.kind,
    hasEnded: session.ended !== undefined,
    hasOld: migration?.found !== undefined,
    hasChanges: changes.size > 0 || session.hasAssigned || isEmptied,
    hasData: !isEmptied && (leavesData(changes, migration?.found?.data ?? {}) || keepsOldOwner),
    isEmptied,
    failed,
    isDue: session.isDue,
    reissue: stored?.reissue ?? false,
    permanent: stored?.record.permanent ?? false,
    headersSent: response.headersSent,
    carriesRecord: session.carrier !== undefined
  }
}
