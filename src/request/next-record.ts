import { createSid, idOf } from '../cookie/index.js'
import { SessionError } from '../errors.js'
import { createMark, sizeOver, type Data, type SessionRecord } from '../record/index.js'
import { deadlineOf, isDue } from './lifetimes.js'
import type { RequestSession } from './request-session.js'
import type { StoredState } from './session-state.js'

/** Facts about a new session that do not come from the options. */
export interface Facts {
  /** Absent: now. */
  readonly created?: number
  /** Absent: the value that the request assigned, or else the option. */
  readonly permanent?: boolean | undefined
  readonly lifetime?: number | undefined
  readonly owner?: string | undefined
}

const noFacts: Facts = {}

/** Makes a new session with a new sid. It does not store it. */
export function newSession(session: RequestSession, data: Data, facts: Facts = noFacts): StoredState {
  const { rules, sealing } = session
  const sid = createSid()
  const now = rules.now()
  const { created = now, permanent = session.permanent, lifetime = session.ownLifetime, owner } = facts
  // Spreading the optional fields would cost several times as much.
  const record: Writable<SessionRecord> = {
    rev: 1,
    write: createMark(),
    id: idOf(sid),
    created,
    used: now,
    expires: deadlineOf(rules, created, lifetime, now),
    permanent,
    data
  }
  if (lifetime !== undefined) record.lifetime = lifetime
  if (owner !== undefined) record.owner = owner
  assertRecordFits(session, record)
  return { kind: 'stored', sid, record, atRest: sealing.close(record, sid), reissue: false }
}

type Writable<T> = { -readonly [Key in keyof T]: T[Key] }

/** The record that replaces the current one: with this data, the members that the request assigned, and a new deadline if that is due. */
export function nextRecord(session: RequestSession, current: SessionRecord, data: Data, now: number): SessionRecord {
  const { rules, assigned, polling } = session
  const { permanent = current.permanent, lifetime = current.lifetime } = assigned
  const next: Writable<SessionRecord> = { ...current, permanent, data }
  if (lifetime !== undefined) next.lifetime = lifetime
  if (assigned.lifetime !== undefined || (!polling && isDue(rules, current, now))) {
    next.used = now
    next.expires = deadlineOf(rules, current.created, lifetime, now)
  }
  assertRecordFits(session, next)
  return next
}

/** @throws SessionError `ERR_SESSION_TOO_LARGE` */
function assertRecordFits({ rules: { maxBytes } }: RequestSession, record: SessionRecord): void {
  const size = sizeOver(maxBytes, record)
  if (size === undefined) return
  throw new SessionError(
    'ERR_SESSION_TOO_LARGE',
    `the session has ${size} bytes, over maxBytes, ${maxBytes}: keep large data elsewhere, and only its key in the session`
  )
}
