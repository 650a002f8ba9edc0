import type { Situation } from './situation.js'

/** The action that a save takes. */
export type Step =
  | { readonly kind: 'nothing' }
  /** Remove the session that `ctx.session = null` ended. Plan again afterwards. */
  | { readonly kind: 'remove' }
  | { readonly kind: 'create' }
  /** Create the session only because the client has one of an earlier library. */
  | { readonly kind: 'move' }
  /** End the client's session of an earlier library, because the request removed its data. */
  | { readonly kind: 'end-old' }
  | { readonly kind: 'update' }
  /** Move the deadline, or send the cookie again. */
  | { readonly kind: 'refresh' }
  /** Give up this request's changes. */
  | { readonly kind: 'drop'; readonly reason: 'gone' | 'moved' | 'headers-sent' }

const nothing: Step = { kind: 'nothing' }

/** Plans a save. This function is pure: it has no side effects. */
export function planSave(situation: Situation): Step {
  const { state, hasEnded, hasChanges, hasData, isEmptied, failed, headersSent, carriesRecord } = situation
  if (state === 'read-only') return nothing
  // The user wanted to log out, so this happens with every status of the response.
  if (hasEnded) return { kind: 'remove' }
  const keepsChanges = !failed || isEmptied
  if (state === 'new') return keepsChanges ? planNew(situation) : nothing
  if (state !== 'stored') return keepsChanges && hasData ? { kind: 'drop', reason: state } : nothing
  if (!keepsChanges || !hasChanges) return planRefresh(situation)
  return carriesRecord && headersSent ? { kind: 'drop', reason: 'headers-sent' } : { kind: 'update' }
}

function planNew({ hasOld, hasChanges, hasData, headersSent }: Situation): Step {
  if (!hasData) return hasOld ? { kind: 'end-old' } : nothing
  const isMove = hasOld && !hasChanges
  // The next request can move the session.
  if (headersSent) return isMove ? nothing : { kind: 'drop', reason: 'headers-sent' }
  return { kind: isMove ? 'move' : 'create' }
}

function planRefresh({ isDue, reissue, headersSent, permanent, carriesRecord }: Situation): Step {
  if (!isDue && !reissue) return nothing
  // Without its cookie, a permanent session's deadline must not move: the cookie would expire before the record.
  if (headersSent && (permanent || carriesRecord || !isDue)) return nothing
  return { kind: 'refresh' }
}
