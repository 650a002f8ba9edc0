import { createSid, idOf } from '../cookie/index.js'
import { SessionError } from '../errors.js'
import { createMark, sizeOver, type Data, type SessionRecord } from '../record/index.js'
import { deadlineOf, isDue } from './lifetimes.js'
import type { RequestSession } from './request-session.js'
import type { StoredState } from './session-state.js'

/** A new session, under a sid that was never used. It is not stored yet. */
export function newSession(session: RequestSession, data: Data, facts: Partial<SessionRecord> = {}): StoredState {
  const { rules } = session
  const sid = createSid()
  const now = rules.now()
  const { created = now, permanent = session.permanent, lifetime = session.ownLifetime, ...others } = facts
  const record: SessionRecord = {
    rev: 1,
    write: createMark(),
    id: idOf(sid),
    created,
    used: now,
    expires: deadlineOf(rules, created, lifetime, now),
    permanent,
    ...(lifetime !== undefined && { lifetime }),
    ...others,
    data
  }
  assertFits(session, record)
  return { kind: 'stored', sid, record, reissue: false }
}

/** The record that follows the current one: other data, what the request assigned, and a new deadline if that is due. */
export function nextRecord(session: RequestSession, current: SessionRecord, data: Data, now: number): SessionRecord {
  const { rules, assigned, polling } = session
  const { permanent = current.permanent, lifetime = current.lifetime } = assigned
  const moves = assigned.lifetime !== undefined || (!polling && isDue(rules, current, now))
  const next: SessionRecord = {
    ...current,
    permanent,
    ...(lifetime !== undefined && { lifetime }),
    ...(moves && { used: now, expires: deadlineOf(rules, current.created, lifetime, now) }),
    data
  }
  assertFits(session, next)
  return next
}

/** @throws SessionError `ERR_SESSION_TOO_LARGE` */
function assertFits({ rules: { maxBytes } }: RequestSession, record: SessionRecord): void {
  const size = sizeOver(maxBytes, record)
  if (size === undefined) return
  throw new SessionError(
    'ERR_SESSION_TOO_LARGE',
    `the session has ${size} bytes, maxBytes is ${maxBytes}: keep large data elsewhere and its key in the session`
  )
}
